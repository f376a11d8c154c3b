/*
** sim_memory.c - the memory of a simulated world.
**
** Each simulated thread has an arena for what it makes in the world, apart from
** the arena of its Lua state, which is put back when another thread begins in
** it. So the address of a block depends only on what its own thread has done.
** What is made while no thread runs, or finds its thread's arena full, lies in
** the arena of the pool.
**
** A block that another thread frees goes back to the arena it came from. Under a
** search it lies there until the run ends, because the maker's next address
** would else depend on when that happened.
**
** Under AddressSanitizer freed blocks are poisoned and stay so for a while, and
** a red zone follows each block.
*/
#include <stdlib.h>
#include <string.h>

#include <lua.h>

#include "message/message.h"
#include "sim/private.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#define RED_ZONE 16
#define REUSED_FROM ((size_t)64 << 20) /* bytes freed, after which blocks are used again */
static void poison (void *p, size_t size) { __asan_poison_memory_region(p, size); }
static void unpoison (void *p, size_t size) { __asan_unpoison_memory_region(p, size); }
static bool is_quarantined (const Sim *sim) { return sim->freed < REUSED_FROM; }
#else
#define RED_ZONE 0
static void poison (void *p, size_t size) { (void)p, (void)size; }
static void unpoison (void *p, size_t size) { (void)p, (void)size; }
static bool is_quarantined (const Sim *sim) { return (void)sim, false; }
#endif

#define BLOCK_MOST ((size_t)1 << 32)
#define SEARCHED_MOST ((size_t)256 << 20) /* bytes of objects and messages in a searched world */

/* In front of every block. */
typedef struct Head {
  Arena *arena;
  size_t size; /* of all, with the head */
} Head;

/* From an arena; both of its zones will do. */
static Head *take_from (Arena *a, size_t size) {
  Head *h = a != NULL ? arena_alloc(a, NULL, LUA_TTABLE, size) : NULL;
  if (h == NULL && a != NULL) h = arena_alloc(a, NULL, LUA_TSTRING, size);
  if (h == NULL) return NULL;
  unpoison(h, size);
  *h = (Head){a, size};
  poison((char *)h + size - RED_ZONE, RED_ZONE);
  return h;
}

/* Whether the block comes from the running thread's own arena. */
static bool is_own (Sim *sim, const Head *h) {
  return sim->current != NULL && h->arena == sim->current->memory;
}

/* A search goes through many executions: one must not take all the memory there is. */
static bool is_too_much (Sim *sim, size_t more) {
  if (!sim->options.policy->searches) return false;
  if (sim->memory + more > SEARCHED_MOST) return true;
  sim->memory += more;
  return false;
}

static void *take (Sim *sim, size_t size) {
  Head *h = NULL;
  size += sizeof *h + RED_ZONE;
  if (size > BLOCK_MOST || is_too_much(sim, size)) return NULL;
  if (sim->current != NULL) h = take_from(sim_thread_memory(sim->pool, sim->current), size);
  if (h == NULL) h = take_from(sim_pool_memory(sim->pool), size);
  return h != NULL ? h + 1 : NULL;
}

void *sim_memory_of_pool (Sim *sim, size_t size) {
  Head *h = take_from(sim_pool_memory(sim->pool), size + sizeof *h + RED_ZONE);
  return h != NULL ? h + 1 : NULL;
}

static void give (Sim *sim, Head *h) {
  Arena *a = h->arena;
  size_t size = h->size;
  poison(h + 1, size - sizeof *h);
  sim->freed += size;
  if (is_quarantined(sim) || (sim->options.policy->searches && !is_own(sim, h))) return;
  sim->memory -= size < sim->memory ? size : sim->memory;
  arena_alloc(a, h, size, 0);
}

static void *resize (Sim *sim, Head *h, size_t size) {
  size_t old = h->size - sizeof *h - RED_ZONE, whole = size + sizeof *h;
  void *fresh;
  if (RED_ZONE == 0 && is_own(sim, h) && whole <= BLOCK_MOST
      && (whole <= h->size || !is_too_much(sim, whole - h->size))) {
    Head *moved = arena_alloc(h->arena, h, h->size, whole);
    if (moved != NULL) {
      moved->size = whole;
      return moved + 1;
    }
  }
  fresh = take(sim, size);
  if (fresh == NULL) return NULL;
  memcpy(fresh, h + 1, old < size ? old : size);
  give(sim, h);
  return fresh;
}

void *sim_memory (World *world, void *block, size_t size) {
  Sim *sim = sim_of(world);
  if (block == NULL) return size > 0 ? take(sim, size) : NULL;
  if (size > 0) return resize(sim, (Head *)block - 1, size);
  give(sim, (Head *)block - 1);
  return NULL;
}

void sim_abandon (lua_State *L) {
  Object *few[16], **list = few;
  int n = object_list(L, few, 16);
  if (n == 16) { /* or more */
    n = object_list(L, NULL, 0);
    list = malloc((size_t)n * sizeof *list);
    n = list != NULL ? object_list(L, list, n) : 0;
  }
  for (int i = 0; i < n; i++) object_drop(list[i]);
  if (list != few) free(list);
  message_abandon(L);
}
