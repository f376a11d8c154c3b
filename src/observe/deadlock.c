/*
** deadlock.c - nobody can ever run again, or some wait for each other in a circle.
**
** A world counts its awake threads: those that are not parked for ever. Whoever
** chooses a waiter counts it as awake at once, so zero means that nobody runs
** and nobody is about to. What is left to check is a pending interrupt.
**
** A circle among some threads while others go on is looked for by a thread that
** has stood in line for a while; in a simulated world by the scheduler, when the
** clock goes on without them and at the end. It is reported when each of them waits for ever
** for what the next one holds: the owner of a lock is read from the lock, and
** an owner that waits cannot release. But anybody may release a plain lock, which
** is how locks are used as signals, so it counts only where that is out of the
** question or nobody has ever done it: a thread that waits for a lock it holds
** itself is left alone, and so is one that holds a lock that others know of
** while it waits for the end of a thread.
*/
#include <stdlib.h>
#include <string.h>

#include "observe/deadlock.h"
#include "observe/dump.h"
#include "objects/kinds.h"
#include "objects/lock.h"
#include "thread/thread.h"
#include "world/memory.h"

#define MOMENT \
  ((Nanos)200000000) /* how long a thread stands in line before it looks for a circle */
#define LONGEST 64   /* threads in a circle */

char *deadlock_text (World *world) { return dump_report(world, "deadlock", NULL); }

char *livelock_text (World *world, bool looking) {
  return dump_report(world, "livelock", looking ? "looking" : "operations");
}

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

bool deadlock_interrupts (World *world) {
  bool raises;
  char *text;
  pthread_mutex_lock(&world->mu);
  raises = world->stuck_raises;
  pthread_mutex_unlock(&world->mu);
  if (!raises) return false;
  text = deadlock_text(world);
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
  if (world->silent_deadlocks || somebody_is_alerted(world) || atomic_load(&world->awake) != 0)
    return;
  fflush(stdout);
  if (deadlock_interrupts(world)) return;
  say(world, deadlock_text(world));
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

/* Who can end a wait: none but the thread waited for; its end; any thread that knows the lock, and some do. */
typedef enum Certainty { SURE = 1, END = 2, LOCKED = 4, SIGNAL = 8 } Certainty;

/* One thread of a circle and the wait it was seen in. */
typedef struct WaitLink {
  uint64_t serial;
  Nanos since;
  uint64_t certainty;
} WaitLink;

/* Of a wait for o. Waiter and holder have a reference each. */
static Certainty certainty_of (Object *o) {
  if (o->kind == &thread_kind) return END;
  if (o->kind != &lock_kind || atomic_load(&o->refs) <= 2) return SURE;
  return lock_is_signal((Lock *)o) ? SIGNAL : LOCKED;
}

/* The serial of the thread that t waits for, for ever; 0: none. Fills *link. */
static uint64_t awaited (Thread *t, WaitLink *link) {
  uint64_t serial = 0;
  Object *o;
  *link = (WaitLink){.serial = t->serial};
  pthread_mutex_lock(&t->mu);
  o = t->blocked_object;
  if (t->blocked && t->blocked_until == FOREVER && o != NULL && o->kind->awaited != NULL
      && atomic_load(&t->alerts) == 0) {
    serial = o->kind->awaited(o);
    link->since = t->blocked_since;
    link->certainty = certainty_of(o);
  }
  pthread_mutex_unlock(&t->mu);
  return serial;
}

/* Goes from `self` to whom it waits for, and on; the number of threads in the circle that leads back, 0: none. */
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

/* Whether the first one's wait is the latest: it has closed the circle, and is the one that reports. */
static bool is_latest (const WaitLink *circle, int n) {
  for (int i = 1; i < n; i++)
    if (circle[i].since > circle[0].since
        || (circle[i].since == circle[0].since && circle[i].serial > circle[0].serial))
      return false;
  return true;
}

static bool is_certain (const WaitLink *circle, int n) {
  uint64_t all = 0;
  for (int i = 0; i < n; i++) all |= circle[i].certainty;
  return !(all & SIGNAL) && (all & (END | LOCKED)) != (END | LOCKED);
}

/*
** Whether `self` has closed a circle of two or more. The threads are looked at
** one after the other; what is seen twice in the same waits held at once in between.
*/
static bool in_circle (World *world, Thread *self) {
  WaitLink first[LONGEST], second[LONGEST];
  int n = follow(world, self, first);
  return n > 1 && follow(world, self, second) == n
         && memcmp(first, second, (size_t)n * sizeof *first) == 0 && is_latest(first, n)
         && is_certain(first, n);
}

void deadlock_warn (Thread *t) {
  World *world = t->object.world;
  char serial[32];
  if (world->silent_deadlocks || !in_circle(world, t)) return;
  snprintf(serial, sizeof serial, "%llu", (unsigned long long)t->serial);
  say(world, dump_report(world, "circle", serial));
}

static void waiting (Thread *self, Waiter *w) {
  World *world = self->object.world;
  Nanos until;
  if (world->silent_deadlocks || w->object->kind->awaited == NULL) return;
  until = world_now(world) + MOMENT;
  while (atomic_load(&w->woken) == 0 && atomic_load(&self->alerts) == 0 && world_now(world) < until)
    world->driver->park(self, until);
  if (atomic_load(&w->woken) == 0) deadlock_warn(self);
}

const Observer deadlock_observer = {.spawning = dump_install,
                                    .stuck = stuck,
                                    .waiting = waiting,
                                    .poked = dump_rest,
                                    .alerted = dump_answer};
