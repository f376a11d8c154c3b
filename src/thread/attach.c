/*
** attach.c - threads that luasync has not made: the main thread of a world, and
** those of a program that has threads of its own and requires luasync in them
** (Python's dummy threads).
*/
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "thread/name.h"
#include "thread/private.h"
#include "thread/thread.h"
#include "world/memory.h"

void thread_number (Thread *t) {
  World *world = t->object.world;
  t->serial = 1 + atomic_fetch_add(&world->serials, 1);
  t->unique = world->base + t->serial;
}

/*
** A thread that runs already, in the world's list, with one reference for the OS
** thread. A simulated one gets its spot from the driver. NULL: no memory.
*/
static Thread *attach (World *world, const char *called, bool is_main) {
  Thread *t = world_alloc_zeroed(world, sizeof *t);
  char *name = world_strdup(world, called);
  bool simulated = world_memory_is_own(world);
  if (t != NULL && !simulated) t->spot = spot_new(world->driver);
  if (t == NULL || (t->spot == NULL && !simulated) || name == NULL) {
    if (t != NULL) spot_free(t->spot);
    world_free(world, t);
    world_free(world, name);
    return NULL;
  }
  object_init(&t->object, &thread_kind, world, name);
  pthread_mutex_init(&t->mu, NULL);
  thread_number(t);
  t->is_main = is_main;
  t->daemon = !is_main;
  atomic_store(&t->life, LIFE_STARTED);
  atomic_fetch_add(&world->awake, 1);
  thread_list_add(t);
  return t;
}

Thread *thread_attach_main (World *world) {
  world->main = attach(world, "MainThread", true);
  return world->main;
}

Thread *thread_attach_foreign (World *world) {
  char name[32];
  snprintf(name, sizeof name, "Dummy-%u", 1 + atomic_fetch_add(&world->thread_names, 1));
  return attach(world, name, false);
}

void thread_bind (Thread *t, lua_State *L) {
  pthread_mutex_lock(&t->mu);
  t->L = L;
  t->os = pthread_self();
  t->signalable = true;
  pthread_mutex_unlock(&t->mu);
  atomic_store(&t->native_id, gettid());
  t->running = L;
  thread_self = t;
}

void thread_end_foreign (Thread *t) {
  thread_leave_state(t);
  if (t->locks_held > 0) thread_bury(t);
  thread_list_remove(t);
  thread_main_over(t);
}
