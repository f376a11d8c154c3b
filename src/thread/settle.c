/*
** settle.c - sync.settle: waits until every other thread has ended or waits.
**
** Where threads do not run at the same time the scheduler knows. Elsewhere all
** threads are looked at one after the other, twice. A thread that was parked in
** the same wait both times was parked in between, and only a running thread can wake
** another; so if that is true of all, there was a moment when all were parked and
** nobody was about to go on. A thread inside a call of the system is told by the
** kernel: it sleeps, and has not run since the last look. It may only have met a
** lock of the C library, so it is looked at some times more.
*/
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "thread/thread.h"
#include "world/args.h"

#define PAUSE ((Nanos)200000)       /* nanoseconds between two looks at first */
#define PAUSE_MOST ((Nanos)5000000) /* and at last */
#define LOOKS_AT_SYSTEM 4           /* that must agree where a thread waits for the system */

/* What a look at all threads has found. */
typedef struct Look {
  bool settled; /* none runs */
  bool system;  /* some wait for the system */
  uint64_t sum; /* of numbers that change whenever one of them goes on and waits again */
} Look;

/*
** Reads a small file of /proc about the thread with this number in the kernel; false:
** there is none.
*/
static bool read_task (int native_id, const char *file, char *text, size_t size) {
  char path[64];
  ssize_t n;
  int fd;
  snprintf(path, sizeof path, "/proc/self/task/%d/%s", native_id, file);
  fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  n = read(fd, text, size - 1);
  close(fd);
  text[n > 0 ? n : 0] = '\0';
  return n > 0;
}

/* Whether the thread sleeps in the kernel; in *runs how long it has run in all. */
static bool in_system (int native_id, uint64_t *runs) {
  char text[512];
  const char *p;
  if (native_id == 0 || !read_task(native_id, "stat", text, sizeof text)) return false;
  p = strrchr(text, ')'); /* behind the name, which may hold anything */
  if (p == NULL || p[1] != ' ' || p[2] != 'S') return false;
  if (!read_task(native_id, "schedstat", text, sizeof text)) return false;
  *runs = strtoull(text, NULL, 10);
  return true;
}

/* Looks at one thread; under world->mu, which keeps it alive. */
static void look_at (Look *look, Thread *t) {
  uint64_t number = 0;
  bool parked, waits;
  pthread_mutex_lock(&t->mu);
  parked = t->blocked.active && atomic_load(&t->spot->token) < 0;
  if (parked) number = (uint64_t)t->blocked.since;
  waits = parked || atomic_load(&t->settling);
  pthread_mutex_unlock(&t->mu);
  if (!waits) {
    waits = in_system(atomic_load(&t->native_id), &number);
    look->system = true;
  }
  if (!waits) look->settled = false;
  look->sum += number * 2 + t->serial;
}

static Look look_at_all (World *world) {
  Look look = {.settled = true};
  pthread_mutex_lock(&world->mu);
  for (Thread *t = world->threads; t != NULL && look.settled; t = t->next)
    if (t != thread_self) look_at(&look, t);
  pthread_mutex_unlock(&world->mu);
  return look;
}

/* Looks again and again. */
static Wake watch (lua_State *L, World *world, Nanos deadline) {
  Look last = look_at_all(world);
  Nanos pause = PAUSE;
  for (int agreed = last.settled;;) {
    Nanos until = world_now(world) + pause;
    Look look;
    if (world_sleep(L, until) == WAKE_INTERRUPT) return WAKE_INTERRUPT;
    look = look_at_all(world);
    agreed = !look.settled ? 0 : look.sum == last.sum && agreed > 0 ? agreed + 1 : 1;
    if (agreed >= (look.system ? LOOKS_AT_SYSTEM : 2)) return WAKE_CHOSEN;
    if (deadline != FOREVER && until >= deadline) return WAKE_TIMEOUT;
    last = look;
    if (agreed == 0 && pause < PAUSE_MOST) pause += pause / 4;
    if (agreed > 0) pause = PAUSE;
  }
}

/* settle([timeout]): true, or false where the time ran out. */
int thread_settle (lua_State *L) {
  Thread *self = thread_self;
  World *world = self->object.world;
  Nanos deadline = world_deadline(world, args_timeout(L, 1));
  Wake wake;
  wait_allowed(L);
  announce_until(L, OP_SETTLE, NULL, deadline);
  if (!world_is_parallel(world)) wake = world_settle(L, deadline);
  else {
    atomic_store(&self->settling, true);
    wake = watch(L, world, deadline);
    atomic_store(&self->settling, false);
  }
  if (wake == WAKE_INTERRUPT) thread_raise(L);
  lua_pushboolean(L, wake == WAKE_CHOSEN);
  return 1;
}
