/*
** faults.c - the host once more, with memory that fails when it is told to.
**
** The linker sends every allocation of the host through here (see the Makefile):
** those of C, and those of the Lua states in both worlds. The Lua module `faults`
** is in package.preload of every state:
**
**     reached, ok, ... = faults.run(at, many, fn, ...)
**
** calls fn(...) as pcall does. Meanwhile the allocations of the calling thread are
** counted, and `many` of them fail from the at-th on (0: none). `reached` is how
** many there were. What other threads allocate is left alone.
*/
#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include "sim/private.h"
#include "state/heap.h"
#include "world/memory.h"
#include "world/world.h"

static _Atomic(Thread *) victim; /* NULL: nothing fails, nothing is counted */
static long reached;             /* the victim's own, like the next two */
static long first, last;
static int nested; /* within sim_memory, which tries one arena after another */

/* A place for a breakpoint: what is about to fail. */
void faults_now (void);
__attribute__((noinline)) void faults_now (void) { __asm__ volatile(""); }

static bool fails (void) {
  if (thread_self == NULL || atomic_load(&victim) != thread_self || nested > 0) return false;
  reached++;
  if (reached < first || reached > last) return false;
  faults_now();
  errno = ENOMEM;
  return true;
}

/*
** The same for the C library's memory. In a simulated world that is the driver's, for its
** schedule and the like: where there is none the whole world ends.
*/
static bool library_fails (void) {
  return thread_self != NULL && !world_memory_is_own(thread_self->object.world) && fails();
}

void *__real_malloc (size_t size);
void *__wrap_malloc (size_t size);
void *__wrap_malloc (size_t size) { return library_fails() ? NULL : __real_malloc(size); }

void *__real_calloc (size_t count, size_t size);
void *__wrap_calloc (size_t count, size_t size);
void *__wrap_calloc (size_t count, size_t size) {
  return library_fails() ? NULL : __real_calloc(count, size);
}

void *__real_realloc (void *block, size_t size);
void *__wrap_realloc (void *block, size_t size);
void *__wrap_realloc (void *block, size_t size) {
  return size > 0 && library_fails() ? NULL : __real_realloc(block, size);
}

char *__real_strdup (const char *text);
char *__wrap_strdup (const char *text);
char *__wrap_strdup (const char *text) { return library_fails() ? NULL : __real_strdup(text); }

FILE *__real_open_memstream (char **text, size_t *length);
FILE *__wrap_open_memstream (char **text, size_t *length);
FILE *__wrap_open_memstream (char **text, size_t *length) {
  return library_fails() ? NULL : __real_open_memstream(text, length);
}

void *__real_mmap (void *at, size_t length, int protection, int flags, int file, off_t offset);
void *__wrap_mmap (void *at, size_t length, int protection, int flags, int file, off_t offset);
void *__wrap_mmap (void *at, size_t length, int protection, int flags, int file, off_t offset) {
  return library_fails() ? MAP_FAILED : __real_mmap(at, length, protection, flags, file, offset);
}

/* Whether a lua_Alloc is asked for more; to give less never fails. */
static bool grows (const void *block, size_t old, size_t new) {
  return new > (block != NULL ? old : 0);
}

void *__real_heap_alloc (void *ud, void *block, size_t old, size_t new);
void *__wrap_heap_alloc (void *ud, void *block, size_t old, size_t new);
void *__wrap_heap_alloc (void *ud, void *block, size_t old, size_t new) {
  if (grows(block, old, new) && fails()) return NULL;
  return __real_heap_alloc(ud, block, old, new);
}

bool __real_heap_has_room (const Heap *h, size_t size);
bool __wrap_heap_has_room (const Heap *h, size_t size);
bool __wrap_heap_has_room (const Heap *h, size_t size) {
  return atomic_load(&victim) != thread_self && __real_heap_has_room(h, size);
}

void *__real_arena_alloc (void *ud, void *block, size_t old, size_t new);
void *__wrap_arena_alloc (void *ud, void *block, size_t old, size_t new);
void *__wrap_arena_alloc (void *ud, void *block, size_t old, size_t new) {
  if (grows(block, old, new) && fails()) return NULL;
  return __real_arena_alloc(ud, block, old, new);
}

void *__real_sim_memory (World *world, void *block, size_t size);
void *__wrap_sim_memory (World *world, void *block, size_t size);
void *__wrap_sim_memory (World *world, void *block, size_t size) {
  void *answer;
  if (size > 0 && fails()) return NULL;
  nested++;
  answer = __real_sim_memory(world, block, size);
  nested--;
  return answer;
}

/* (at, many, fn, ...) */
static int run (lua_State *L) {
  int status;
  long at = (long)luaL_checkinteger(L, 1), many = (long)luaL_checkinteger(L, 2);
  luaL_checktype(L, 3, LUA_TFUNCTION);
  luaL_checkstack(L, 3, NULL);
  reached = 0;
  first = at > 0 ? at : 1;
  last = at > 0 ? at + many - 1 : 0;
  atomic_store(&victim, thread_self);
  status = lua_pcall(L, lua_gettop(L) - 3, LUA_MULTRET, 0);
  atomic_store(&victim, NULL);
  lua_pushinteger(L, reached);
  lua_replace(L, 1);
  lua_pushboolean(L, status == LUA_OK);
  lua_replace(L, 2);
  return lua_gettop(L);
}

static int open_faults (lua_State *L) {
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, run);
  lua_setfield(L, -2, "run");
  return 1;
}

void __real_luaL_openlibs (lua_State *L);
void __wrap_luaL_openlibs (lua_State *L);
void __wrap_luaL_openlibs (lua_State *L) {
  __real_luaL_openlibs(L);
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  lua_pushcfunction(L, open_faults);
  lua_setfield(L, -2, "faults");
  lua_pop(L, 1);
}
