/*
** timer.c - Timer: a thread that waits before it calls its target, and can be
** told not to.
**
** It is a Thread in all else, in C too: a record that begins with a Thread's, of
** a kind derived from Thread's, so that methods, reports and select take it.
*/
#include "thread/private.h"
#include "thread/thread.h"
#include "world/args.h"
#include "world/record.h"

typedef struct Timer {
  Thread thread;
  Nanos interval; /* const after init; relative */
  Line line;      /* the timer's own thread, while it waits; under thread.mu */
  bool cancelled; /* under thread.mu */
  bool stood;     /* its own thread is in the line, or has been; under thread.mu */
} Timer;

/* Waits for the time to come, unless cancelled; raises a pending interrupt. True: it has come. */
static bool begin (lua_State *L, Thread *t) {
  Timer *timer = (Timer *)t;
  Nanos deadline = world_deadline(t->object.world, timer->interval);
  Waiter w;
  Wake wake = WAKE_CHOSEN;
  bool cancelled;
  announce_until(L, OP_TIMER, t, deadline);
  waiter_init(&w, OP_TIMER, t, deadline);
  pthread_mutex_lock(&t->mu);
  cancelled = timer->cancelled;
  timer->stood = !cancelled;
  if (!cancelled) line_join(&timer->line, &w);
  pthread_mutex_unlock(&t->mu);
  if (!cancelled) wake = line_wait(L, &w, &t->mu, deadline);
  if (wake == WAKE_INTERRUPT) thread_raise(L);
  return wake == WAKE_TIMEOUT;
}

/* cancel(): the target is not called, unless that has been done. */
static int timer_cancel (lua_State *L) {
  Timer *timer = object_check(L, 1, &timer_kind);
  Waiter *chain;
  bool in_time;
  announce(L, OP_CANCEL, timer);
  pthread_mutex_lock(&timer->thread.mu);
  timer->cancelled = true;
  chain = line_choose_all(&timer->line);
  in_time = chain != NULL || !timer->stood;
  pthread_mutex_unlock(&timer->thread.mu);
  record(OP_CANCEL, timer, in_time, 0);
  line_wake(chain);
  return 0;
}

/* As a thread's; READY_DONE: its own thread need not wait for the time. */
static unsigned timer_ready (Object *o, const Thread *t) {
  Timer *timer = (Timer *)o;
  unsigned bits = thread_ready(o, t);
  pthread_mutex_lock(&timer->thread.mu);
  if (timer->cancelled) bits |= READY_DONE;
  pthread_mutex_unlock(&timer->thread.mu);
  return bits;
}

static const Role role = {.begin = begin};

/* Timer(interval, fn, ...): not started. */
int timer_new (lua_State *L) {
  Timer *timer;
  Nanos interval;
  luaL_checkany(L, 1);
  interval = args_timeout(L, 1);
  if (!args_is_callable(L, 2)) return luaL_typeerror(L, 2, "function");
  timer = (Timer *)thread_make(L, sizeof *timer, &timer_kind);
  timer->interval = interval;
  timer->thread.role = &role;
  lua_pushnil(L);
  thread_name_default(L, &timer->thread,
                      lua_gettop(L)); /* Thread-N: as Python, without the target's name */
  lua_pop(L, 1);
  lua_replace(L, 1); /* timer fn args... */
  thread_store_work(L, 1, 2);
  object_ready(L, 1);
  thread_await_start(L, &timer->thread);
  return 1;
}

static const luaL_Reg methods[] = {{"cancel", timer_cancel}, {NULL, NULL}};

const Kind timer_kind = {.name = "Timer",
                         .base = &thread_kind,
                         .destroy = thread_destroy,
                         .describe = thread_describe,
                         .methods = methods,
                         .meta = thread_meta,
                         .property = thread_property,
                         .departing = thread_departing,
                         .visit = thread_visit,
                         .values = 1,
                         .ready = timer_ready,
                         .select = &thread_select,
                         .awaited = thread_awaited,
                         .copy_name = thread_name_of_object};
