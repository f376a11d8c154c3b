/*
** world.c - the door: worlds, announcements, time, and the spots threads park on.
*/
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "world/thread_record.h"

_Thread_local Thread *thread_self;
_Thread_local World *world_here;
atomic_int worlds_observed;

void world_init (World *world, const Driver *driver) {
  static atomic_uint worlds;
  memset(world, 0, sizeof *world);
  world->driver = driver;
  world->base = (uint64_t)atomic_fetch_add(&worlds, 1) << 32;
  pthread_mutex_init(&world->mu, NULL);
  cycles_init(&world->cycles);
  if (driver->announce != NULL) atomic_fetch_add(&worlds_observed, 1);
}

void world_less_awake (World *world) {
  const Observer *o = world->observer;
  if (atomic_fetch_sub(&world->awake, 1) == 1 && o != NULL && o->stuck != NULL) o->stuck(world);
}

void world_announce (const Op *op) {
  Thread *self = thread_self;
  const World *world = self->object.world;
  const Listener *l = world->listener;
  if (l != NULL) l->before(world->listening, self);
  if (world->driver->announce != NULL) world->driver->announce(self, op);
  if (l != NULL) l->now(world->listening, self, op);
}

void world_listen (World *world, const Listener *listener, void *ud) {
  world->listener = listener;
  world->listening = ud;
  if (world->driver->announce == NULL) atomic_fetch_add(&worlds_observed, 1);
}

Nanos world_now (World *world) { return world->driver->now(world); }

Nanos world_deadline (World *world, Nanos relative) {
  Nanos now;
  if (relative == FOREVER) return FOREVER;
  now = world_now(world);
  return relative > FOREVER - 1 - now ? FOREVER - 1 : now + relative;
}

/*
** Spots are kept for ever in a free list: a waker may hold the address of one
** whose thread has ended meanwhile, and its token then means nothing.
*/
static pthread_mutex_t spots_mu = PTHREAD_MUTEX_INITIALIZER;
static Spot *spots_free; /* under spots_mu */

Spot *spot_new (const Driver *driver) {
  Spot *spot;
  pthread_mutex_lock(&spots_mu);
  spot = spots_free;
  if (spot != NULL) spots_free = spot->next;
  pthread_mutex_unlock(&spots_mu);
  if (spot == NULL) {
    spot = calloc(1, sizeof *spot);
    if (spot == NULL) return NULL;
  }
  atomic_store(&spot->token, 0);
  spot->driver = driver;
  return spot;
}

void spot_free (Spot *spot) {
  if (spot == NULL || spot->fibre != NULL) return;
  pthread_mutex_lock(&spots_mu);
  spot->next = spots_free;
  spots_free = spot;
  pthread_mutex_unlock(&spots_mu);
}
