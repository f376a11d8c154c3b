/*
** sim_thread.c - pools, threads and the images of their states.
**
** A state is made on its own thread's stack, by a call path that is the same each
** time, because Lua mixes the address of a local variable into the seed of its
** string hash; the order in which pairs() walks depends on it.
*/
#include <stdlib.h>
#include <string.h>

#include <lualib.h>

#include "sim/sim_thread.h"
#include "base/random.h"
#include "state/state.h"

#define POOLS 64 /* worlds in a process at a time */
#define FIXED 8  /* pools at fixed addresses */

#if defined(__SANITIZE_THREAD__) /* its application memory is narrow */
#define THREADS 512
#define ARENA_SIZE ((size_t)64 << 20)
#define ARENA_BASE 0x1000000000
#define STACK_BASE 0x6000000000
#define MEMORY_BASE 0x6400000000
#define MEMORY_SIZE ((size_t)16 << 20)
#define POOL_MEMORY_BASE 0x7800000000
#define POOL_MEMORY_SIZE ((size_t)512 << 20)
#else
#define THREADS 8192
#define ARENA_SIZE ((size_t)1 << 30)
#define ARENA_BASE 0x110000000000
#define STACK_BASE 0x540000000000
#define MEMORY_BASE 0x580000000000
#define MEMORY_SIZE ((size_t)512 << 20)
#define POOL_MEMORY_BASE 0x780000000000
#define POOL_MEMORY_SIZE ((size_t)64 << 30)
#endif
#define STACK_STEP (2 * FIBRE_STACK)

#define CALLS 10       /* one inside the other, that a state has records for from the beginning */
#define CALL_RECORD 64 /* bytes Lua takes for one; where it is not so they lie elsewhere */

struct SimPool {
  int number;
  bool taken;          /* under pools_mu */
  lua_CFunction equip; /* makes a fresh state one for simulated threads */
  Arena *memory;       /* NULL: nothing yet */
  bool made;           /* something lies in it */
  int built;           /* threads that exist: 0 .. built-1 */
  SimThread *threads[THREADS];
};

static pthread_mutex_t pools_mu = PTHREAD_MUTEX_INITIALIZER;
static SimPool *pools[POOLS]; /* under pools_mu */

_Thread_local bool sim_thread_building;

SimPool *sim_pool_take (lua_CFunction equip) {
  SimPool *found = NULL;
  pthread_mutex_lock(&pools_mu);
  for (int i = 0; i < POOLS && found == NULL; i++) {
    if (pools[i] == NULL && (pools[i] = calloc(1, sizeof(SimPool))) != NULL) pools[i]->number = i;
    if (pools[i] != NULL && !pools[i]->taken) found = pools[i];
  }
  if (found != NULL) {
    found->taken = true;
    found->equip = equip;
  }
  pthread_mutex_unlock(&pools_mu);
  return found;
}

void sim_pool_leave (SimPool *pool) {
  for (int i = 0; i < pool->built; i++) {
    SimThread *st = pool->threads[i];
    if (st->made) arena_restore(st->memory);
    st->state = SIM_THREAD_FREE;
    st->thread = NULL;
    st->made = false;
  }
  if (pool->made) arena_restore(pool->memory);
  pool->made = false;
  pthread_mutex_lock(&pools_mu);
  pool->taken = false;
  pthread_mutex_unlock(&pools_mu);
}

/* Where math.random keeps its state: four words, in a userdata that is its upvalue. */
static uint64_t *find_random (lua_State *L) {
  uint64_t *state = NULL;
  if (lua_getglobal(L, LUA_MATHLIBNAME) == LUA_TTABLE
      && lua_getfield(L, -1, "random") == LUA_TFUNCTION && lua_getupvalue(L, -1, 1) != NULL
      && lua_rawlen(L, -1) == 4 * sizeof *state)
    state = lua_touserdata(L, -1);
  lua_settop(L, 0);
  return state;
}

/* Makes the state; on the thread's own stack. */
typedef struct Building {
  SimThread *st;
  lua_CFunction equip;
  Fibre *back;
} Building;

/* (left) in so many calls one inside the other, which fit onto the stack that there is. */
static int nest (lua_State *L) {
  int *left = lua_touserdata(L, 1);
  if (--*left <= 0) return 0;
  lua_pushcfunction(L, nest);
  lua_insert(L, 1);
  lua_call(L, 1, 0);
  return 0;
}

/*
** What a state writes to all the time are its head, its stack and the records of its calls. The
** first two stand at the beginning; these get the place in front, so that a search has one page to
** put back. Lua keeps records once made; those that it has are few, and two collections free all
** but one.
*/
static void place_calls (lua_State *L, Arena *a, char *place) {
  int left = CALLS;
  lua_gc(L, LUA_GCCOLLECT);
  lua_gc(L, LUA_GCCOLLECT);
  for (int i = CALLS - 1; i >= 0; i--) arena_alloc(a, place + i * CALL_RECORD, CALL_RECORD, 0);
  lua_pushcfunction(L, nest);
  lua_pushlightuserdata(L, &left);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK) lua_pop(L, 1);
}

static void build_state (void *ud) {
  Building *b = ud;
  char *place = arena_alloc(b->st->arena, NULL, LUA_TTABLE, (size_t)CALLS * CALL_RECORD);
  sim_thread_building = true;
  b->st->L = state_make(arena_alloc, b->st->arena, b->equip);
  if (b->st->L != NULL) b->st->random = find_random(b->st->L);
  if (b->st->L != NULL && place != NULL) place_calls(b->st->L, b->st->arena, place);
  sim_thread_building = false;
  fibre_switch(&b->st->fibre, b->back);
}

static void *fixed (uintptr_t base, uintptr_t step, const SimPool *pool, int index) {
  if (pool->number >= FIXED) return NULL;
  return (void *)(base + ((uintptr_t)pool->number * THREADS + (uintptr_t)index) * step);
}

void sim_thread_seed (SimThread *st, uint64_t n) {
  for (int i = 0; st->random != NULL && i < 4; i++)
    st->random[i] = random_mix((4 * n + (uint64_t)i + 1) * RANDOM_STEP);
}

static Arena *make_arena (void *address, size_t most, bool in_pages) {
  Arena *a = NULL;
  for (size_t size = most; a == NULL && size >= (size_t)16 << 20; size /= 4)
    a = arena_new(address, size, in_pages);
  return a;
}

static SimThread *build_thread (SimPool *pool, int index, Fibre *here) {
  SimThread *st = calloc(1, sizeof *st);
  if (st == NULL) return NULL;
  st->index = index;
  st->arena = make_arena(fixed(ARENA_BASE, ARENA_SIZE, pool, index), ARENA_SIZE, true);
  if (st->arena != NULL && fibre_init(&st->fibre, fixed(STACK_BASE, STACK_STEP, pool, index))) {
    Building b = {st, pool->equip, here};
    fibre_start(&st->fibre, build_state, &b);
    fibre_switch(here, &st->fibre);
    if (st->L != NULL && arena_keep_image(st->arena)) return st;
    fibre_free(&st->fibre);
  }
  arena_delete(st->arena);
  free(st);
  return NULL;
}

int sim_pool_threads (const SimPool *pool) { return pool->built; }
SimThread *sim_pool_thread (const SimPool *pool, int index) { return pool->threads[index]; }

SimThread *sim_thread_take (SimPool *pool, int first, Fibre *here) {
  int i = first;
  SimThread *st;
  while (i < pool->built && pool->threads[i]->state != SIM_THREAD_FREE) i++;
  if (i == THREADS) return NULL;
  if (i == pool->built) {
    pool->threads[i] = build_thread(pool, i, here);
    if (pool->threads[i] == NULL) return NULL;
    pool->built++;
  }
  st = pool->threads[i];
  if (st->used) arena_restore(st->arena);
  st->used = true;
  st->operations = st->outputs = 0;
  st->state = SIM_THREAD_TAKEN;
  return st;
}

/*
** Memory for what threads make in their world. It is empty when it is kept as
** its image, so to put that back is to forget all.
*/
static Arena *make_memory (void *address, size_t most) {
  Arena *a = make_arena(address, most, false);
  if (a != NULL) arena_keep_empty(a);
  return a;
}

Arena *sim_thread_memory (SimPool *pool, SimThread *st) {
  if (st->memory == NULL)
    st->memory = make_memory(fixed(MEMORY_BASE, MEMORY_SIZE, pool, st->index), MEMORY_SIZE);
  st->made = st->memory != NULL;
  return st->memory;
}

Arena *sim_pool_memory (SimPool *pool) {
  void *address = (void *)(POOL_MEMORY_BASE + (uintptr_t)pool->number * POOL_MEMORY_SIZE);
  if (pool->memory == NULL)
    pool->memory = make_memory(pool->number < FIXED ? address : NULL, POOL_MEMORY_SIZE);
  pool->made = pool->memory != NULL;
  return pool->memory;
}
