/*
** deadlock.c - nobody can ever run again, or some wait for each other in a circle.
**
** A world counts its awake threads: those that are not parked for ever. Whoever
** chooses a waiter counts it as awake at once, so zero means that nobody runs
** and nobody is about to. What is left to check is a pending interrupt.
**
** A circle among some threads while others go on is looked for by a thread that
** has stood in line for a while. It is certain when each of them waits for ever
** for what the next one holds: the owner of a lock is read from the lock, and
** an owner that waits cannot release. A single thread that waits for a lock it
** holds itself is left alone: another may release it for it, that is how plain
** locks are used as signals.
*/
#include <stdlib.h>
#include <string.h>

#include "deadlock.h"
#include "dump.h"
#include "host.h"
#include "thread.h"

#define MOMENT ((Nanos)200000000)  /* how long a thread stands in line before it looks for a circle */
#define LONGEST 64                /* threads in a circle */

char *deadlock_text (World *world) { return dump_report(world, "deadlock", NULL); }

char *livelock_text (World *world, bool looking) {
  return dump_report(world, "livelock", looking ? "looking" : "operations");
}

static bool somebody_is_alerted (World *world) {
  bool found = false;
  pthread_mutex_lock(&world->mu);
  for (Thread *t = world->threads; t != NULL; t = t->next)
    found = found || (atomic_load(&t->alerts) & (ALERT_INTERRUPT | ALERT_SIGNAL)) != 0;
  pthread_mutex_unlock(&world->mu);
  return found;
}

static void say (World *world, char *text) {
  if (text == NULL) text = strdup("luasync: deadlock\n");
  if (text != NULL) world->driver->write(world, 2, text, strlen(text));
  free(text);
}

void deadlock_found (World *world) {
  if (world->owns || world->silent_deadlocks || somebody_is_alerted(world) || atomic_load(&world->awake) != 0) return;
  fflush(stdout);
  say(world, deadlock_text(world));
  host_exit(3);
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

/* The serial of the thread that t waits for, for ever; 0: none. */
static uint64_t awaited (Thread *t) {
  uint64_t serial = 0;
  pthread_mutex_lock(&t->mu);
  if (t->blocked && t->blocked_until == FOREVER && t->blocked_object != NULL
      && t->blocked_object->kind->holder != NULL && atomic_load(&t->alerts) == 0)
    serial = t->blocked_object->kind->holder(t->blocked_object);
  pthread_mutex_unlock(&t->mu);
  return serial;
}

/* Whether `self` is in a circle of two or more, and the one with the highest number in it: that one reports. */
static bool in_circle (World *world, Thread *self) {
  Thread *t = self;
  bool circle = false, highest = true;
  pthread_mutex_lock(&world->mu);
  for (int i = 0; i < LONGEST && t != NULL; i++) {
    t = find(world, awaited(t));
    if (t == self) {
      circle = i > 0;
      break;
    }
    if (t != NULL && t->serial > self->serial) highest = false;
  }
  pthread_mutex_unlock(&world->mu);
  return circle && highest;
}

void deadlock_watch (Thread *self, Waiter *w) {
  World *world = self->object.world;
  Nanos until;
  char serial[32];
  if (world->owns || world->silent_deadlocks || w->object->kind->holder == NULL) return;
  until = world_now(world) + MOMENT;
  while (atomic_load(&w->woken) == 0 && atomic_load(&self->alerts) == 0 && world_now(world) < until)
    world->driver->park(self, until);
  if (atomic_load(&w->woken) != 0 || !in_circle(world, self)) return;
  snprintf(serial, sizeof serial, "%llu", (unsigned long long)self->serial);
  say(world, dump_report(world, "circle", serial));
}
