/*
** copy.c - a thread works on copies of what its function captures, of the globals it
** names, and of its arguments. What it was sent is kept while it runs, so that
** whoever watches the world can tell which of them it has changed.
*/
#include "message/message.h"
#include "message/sent.h"
#include "thread/private.h"
#include "thread/thread.h"

#define FIRST_LOOK 1 /* waits before the first look; twice as many before each other one */

/*
** Where thread after thread makes the same changes, there is nothing new to be found:
** after so many in a row some are left out. Not where runs are to be repeated.
*/
#define FRUITLESS_MOST 256
#define LEFT_OUT 15 /* of 16 */

/* Likewise for the tasks of one worker, in any world: each look costs a step of its collector. */
#define TASKS_MOST 32

static atomic_uint fruitless;

_Thread_local bool thread_copy_ignored;

static bool is_left_out (Thread *t) {
  unsigned n = atomic_load_explicit(&fruitless, memory_order_relaxed);
  if (t->tasks > TASKS_MOST && (t->tasks & LEFT_OUT) != 0) return true;
  return world_is_parallel(t->object.world) && n > FRUITLESS_MOST
         && (atomic_fetch_add_explicit(&fruitless, 1, memory_order_relaxed) & LEFT_OUT) != 0;
}

void thread_copy_found (bool found) {
  if (found) atomic_store(&fruitless, 0);
  else atomic_fetch_add_explicit(&fruitless, 1, memory_order_relaxed);
}

static void replace (Thread *t, Message *sent) {
  Message *old;
  pthread_mutex_lock(&t->mu);
  old = t->sent;
  t->sent = sent;
  pthread_mutex_unlock(&t->mu);
  message_free(old);
}

void thread_copy_begin (lua_State *L, Thread *t, Message *work, int first, int n) {
  const Observer *o = t->object.world->observer;
  bool watched = message_is_watched(work) && o != NULL && o->changed != NULL && !is_left_out(t);
  t->waits = 0;
  replace(t, message_keep_sent(work, t->tasks++ > 0));
  if (!watched) return;
  message_watch(L, first, n);
  t->waits = t->between = FIRST_LOOK;
}

void thread_copy_end (lua_State *L, Thread *t) {
  const Observer *o = t->object.world->observer;
  if (t->waits != 0 && t->sent != NULL && !thread_copy_ignored) o->changed(L, t);
  t->waits = 0;
}

void thread_copy_forget (Thread *t) { replace(t, NULL); }
