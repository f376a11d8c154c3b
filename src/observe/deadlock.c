/*
** deadlock.c - nobody can ever run again, or some wait for each other in a circle.
**
** A world counts its awake threads: those that are not parked for ever. A waker
** counts the waiter that it chooses as awake at once, so zero means that no thread
** runs and none is about to. What is left to check is a pending interrupt.
**
** Some threads may wait for each other in a circle while others go on. A thread
** that has stood in line for a while looks for such a circle; in a simulated world
** the scheduler does, when the clock goes on without the threads and at the end.
** In a circle each thread waits for ever for what the next one holds; the owner of
** a lock is read from the lock.
**
** A circle counts only if nobody outside can break it. Only its owner ends an RLock
** or a join. A plain Lock, which any thread may release, counts if no other thread
** refers to it, or if none but its owner has ever released it. A thread that waits
** for a lock which it holds itself is left alone, and so is one that holds a lock
** that others know of while it waits for the end of a thread.
*/
#include <stdlib.h>
#include <string.h>

#include "observe/copies.h"
#include "observe/deadlock.h"
#include "observe/dump.h"
#include "observe/recorder.h"
#include "observe/sigquit.h"
#include "observe/stranded.h"
#include "objects/kinds.h"
#include "objects/lock.h"
#include "thread/thread.h"
#include "world/memory.h"

#define MOMENT \
  ((Nanos)200000000) /* how long a thread stands in line before it looks for a circle */
#define LONGEST 64   /* threads in a circle */

char *deadlock_text (World *world) { return dump_report(world, "deadlock", NULL); }

char *livelock_text (World *world, const char *how) { return dump_report(world, "livelock", how); }

static bool somebody_is_alerted (World *world) {
  bool found = false;
  pthread_mutex_lock(&world->mu);
  for (Thread *t = world->threads; t != NULL; t = t->next)
    found = found || (atomic_load(&t->alerts) & ALERT_RAISES) != 0;
  pthread_mutex_unlock(&world->mu);
  return found;
}

static void say (World *world, char *text) {
  const char *said = text != NULL ? text : "luasync: deadlock (not enough memory for a report)\n";
  world->driver->write(world, 2, said, strlen(said));
  free(text);
}

static bool interrupts (World *world) {
  bool raises;
  pthread_mutex_lock(&world->mu);
  raises = world->stuck_raises;
  pthread_mutex_unlock(&world->mu);
  return raises;
}

bool deadlock_interrupts (World *world) {
  return interrupts(world) && deadlock_interrupts_with(world, deadlock_text(world));
}

bool deadlock_interrupts_with (World *world, char *text) {
  if (!interrupts(world)) {
    free(text);
    return false;
  }
  pthread_mutex_lock(&world->mu);
  world_free(world, world->stuck_report);
  world->stuck_report = text != NULL ? world_strdup(world, text) : NULL;
  pthread_mutex_unlock(&world->mu);
  free(text);
  thread_alert(world->main, ALERT_INTERRUPT);
  return true;
}

/*
** __deadlock(raises): whether a deadlock of this world shall interrupt its main
** thread from now on. Returns the report of the last one that did, which is
** forgotten, or nil.
*/
int deadlock_raises (lua_State *L) {
  World *world = thread_self->object.world;
  char *text;
  pthread_mutex_lock(&world->mu);
  world->stuck_raises = lua_toboolean(L, 1);
  text = world->stuck_report;
  world->stuck_report = NULL;
  pthread_mutex_unlock(&world->mu);
  lua_pushstring(L, text);
  world_free(world, text);
  return 1;
}

static void stuck (World *world) {
  char *text;
  if (world->silent_deadlocks || somebody_is_alerted(world) || atomic_load(&world->awake) != 0)
    return;
  fflush(stdout);
  if (deadlock_interrupts(world)) return;
  text = deadlock_text(world);
  recorder_verdict(world, "deadlock", text);
  say(world, text);
  world->driver->exit(3);
}

/*
** Circles.
*/

/* The living thread with this serial; under world->mu. */
static Thread *find (World *world, uint64_t serial) {
  Thread *t = world->threads;
  while (t != NULL && t->serial != serial) t = t->next;
  return t;
}

/*
** What can end a wait. SURE: the thread waited for alone. END: that thread's end.
** LOCKED, SIGNAL: any thread that knows the lock, and some do; SIGNAL: one that did
** not own the lock has released it before.
*/
typedef enum Certainty { SURE = 1, END = 2, LOCKED = 4, SIGNAL = 8 } Certainty;

/* One thread of a circle and the wait it was seen in. */
typedef struct WaitLink {
  uint64_t serial;
  Nanos since;
  uint64_t certainty;
} WaitLink;

/* Of a wait for o. Waiter and holder have a reference each. */
static Certainty certainty_of (Object *o) {
  if (o->kind == &thread_kind || o->kind->base == &thread_kind) return END;
  if (o->kind != &lock_kind || counted_refs(&o->counted) <= 2) return SURE;
  return lock_is_signal((Lock *)o) ? SIGNAL : LOCKED;
}

/* The serial of the thread that t waits for without a deadline; 0: none. Fills *link. */
static uint64_t awaited (Thread *t, WaitLink *link) {
  uint64_t serial = 0;
  Object *o;
  *link = (WaitLink){.serial = t->serial};
  pthread_mutex_lock(&t->mu);
  o = t->blocked.object;
  if (t->blocked.active && t->among == NULL && t->blocked.until == FOREVER && o != NULL
      && o->kind->awaited != NULL && (atomic_load(&t->alerts) & ALERT_RAISES) == 0) {
    serial = o->kind->awaited(o);
    link->since = t->blocked.since;
    link->certainty = certainty_of(o);
  }
  pthread_mutex_unlock(&t->mu);
  return serial;
}

/*
** Follows the waits from `self` on. Returns how many threads are in the circle that
** leads back to it; 0: none does.
*/
static int follow (World *world, Thread *self, WaitLink circle[LONGEST]) {
  Thread *t = self;
  int n = 0;
  bool closed = false;
  pthread_mutex_lock(&world->mu);
  while (t != NULL && !closed && n < LONGEST) {
    t = find(world, awaited(t, &circle[n]));
    closed = t == self;
    n++;
  }
  pthread_mutex_unlock(&world->mu);
  return closed ? n : 0;
}

/* The latest of the waits: it has closed the circle. */
static const WaitLink *latest (const WaitLink *circle, int n) {
  const WaitLink *last = circle;
  for (int i = 1; i < n; i++)
    if (circle[i].since > last->since
        || (circle[i].since == last->since && circle[i].serial > last->serial))
      last = &circle[i];
  return last;
}

/*
** Whether it is for `self` to tell of the circle, which is told once. That is for the
** thread whose wait is the latest. It may have looked before another's wait was noted,
** where threads run at the same time: then it is for the other, which looks later.
*/
static bool takes_on (World *world, Thread *self, const WaitLink *last) {
  Thread *t;
  bool mine = false;
  if (last->serial != self->serial
      && (!world_is_parallel(world) || world_now(world) < last->since + MOMENT))
    return false;
  pthread_mutex_lock(&world->mu);
  t = find(world, last->serial);
  if (t != NULL) {
    pthread_mutex_lock(&t->mu);
    mine = t->blocked.active && t->blocked.since == last->since && !t->blocked.told;
    if (mine) t->blocked.told = true;
    pthread_mutex_unlock(&t->mu);
  }
  pthread_mutex_unlock(&world->mu);
  return mine;
}

static bool is_certain (const WaitLink *circle, int n) {
  uint64_t all = 0;
  for (int i = 0; i < n; i++) all |= circle[i].certainty;
  return !(all & SIGNAL) && (all & (END | LOCKED)) != (END | LOCKED);
}

/*
** Whether `self` is in a circle of two or more that it has to tell of. The threads are
** looked at one after the other, twice. If both looks find the same waits, all of them
** held at one moment in between.
*/
static bool in_circle (World *world, Thread *self) {
  WaitLink first[LONGEST], second[LONGEST];
  int n = follow(world, self, first);
  return n > 1 && follow(world, self, second) == n
         && memcmp(first, second, (size_t)n * sizeof *first) == 0 && is_certain(first, n)
         && takes_on(world, self, latest(first, n));
}

void deadlock_warn (Thread *t) {
  World *world = t->object.world;
  char serial[32];
  if (world->silent_deadlocks || !in_circle(world, t)) return;
  snprintf(serial, sizeof serial, "%llu", (unsigned long long)t->serial);
  say(world, dump_report(world, "circle", serial));
}

static void waiting (Thread *self, Waiter *const *list, int n) {
  World *world = self->object.world;
  Waiter *w = list[0];
  Nanos until;
  if (world->silent_deadlocks) return;
  until = world_now(world) + MOMENT;
  while (!line_any_woken(list, n) && (atomic_load(&self->alerts) & ALERT_RAISES) == 0
         && world_now(world) < until)
    world->driver->park(self, until);
  if (line_any_woken(list, n)) return;
  deadlock_warn(self);
  if (w->kind == OP_JOIN) copies_awaited((Thread *)w->object);
  stranded_wait(self, list, n);
}

const Observer deadlock_observer = {.spawning = sigquit_install,
                                    .stuck = stuck,
                                    .waiting = waiting,
                                    .alerted = dump_answer,
                                    .changed = copies_changed};
