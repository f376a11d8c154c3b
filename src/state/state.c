/*
** state.c - making Lua states, and finding luasync's modules in any of them.
**
** `require` asks package.preload first, and honours its metatable: __index
** there answers for "luasync" and "luasync.*" from the code in this binary,
** so a child state finds them whatever package.path says, and for the modules
** without a file that its parent could require (message/bundle.c).
*/
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include <lua.h>
#include <lauxlib.h>
#include <lualib.h>

#include "base/source_line.h"
#include "message/bundle.h"
#include "message/message.h"
#include "message/sent.h"
#include "state/embedded.h"
#include "state/heap.h"
#include "state/files.h"
#include "state/state.h"
#include "state/stdlib.h"
#include "world/burden.h"
#include "world/thread_record.h"
#include "world/args.h"

lua_CFunction state_module;

/* package.preload's __index (preload, name). */
static int find_loader (lua_State *L) {
  const char *name = lua_tostring(L, 2);
  if (name == NULL) return 0;
  if (strncmp(name, "luasync", 7) != 0) return bundle_push_loader(L, name);
  if (name[7] == '\0') {
    lua_pushcfunction(L, state_module);
    return 1;
  }
  return embedded_push_loader(L, name);
}

static void equip_preload (lua_State *L) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  if (!lua_getmetatable(L, -1)) {
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, find_loader);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, -2);
    lua_pop(L, 1);
  }
  else lua_pop(L, 2);
}

static const char package_key; /* its address names the table `package` in the registry */

static void note_package (lua_State *L) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  lua_getfield(L, -1, LUA_LOADLIBNAME);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &package_key);
  lua_pop(L, 1);
}

int state_equip (lua_State *L) {
  note_package(L);
  equip_preload(L);
  message_watch_modules(L);
  message_watch_prepare(L);
  source_line_probe(L);
  files_equip(L);
  input_equip(L);
  output_equip(L);
  coroutine_equip(L);
  debug_registry_equip(L);
  return 0;
}

/* ([equip]) in protected mode. */
static int open_all (lua_State *L) {
  luaL_openlibs(L);
  process_equip(L);
  state_equip(L);
  if (lua_gettop(L) > 0) lua_call(L, 0, 0);
  return 0;
}

static int panic (lua_State *L) {
  const char *message = lua_tostring(L, -1);
  fprintf(stderr, "luasync: unprotected error: %s\n", message != NULL ? message : "?");
  return 0;
}

static void warn_off (void *ud, const char *message, int to_continue);
static void warn_on (void *ud, const char *message, int to_continue);
static void warn_continue (void *ud, const char *message, int to_continue);

/* What a control message says to our own warnings, those of the whole world. */
static void control_copies (const char *message) {
  if (thread_self == NULL) return;
  if (strcmp(message, "@off") == 0) atomic_store(&thread_self->object.world->silent_copies, true);
  if (strcmp(message, "@on") == 0) atomic_store(&thread_self->object.world->silent_copies, false);
}

/* Whether it was a control message, obeyed. */
static int warn_control (lua_State *L, const char *message, int to_continue) {
  if (to_continue || *message != '@') return 0;
  control_copies(message);
  if (strcmp(message, "@off") == 0) lua_setwarnf(L, warn_off, L);
  else if (strcmp(message, "@on") == 0) lua_setwarnf(L, warn_on, L);
  return 1;
}

static lua_CFunction warn_of_lua; /* stock Lua's own; const once a state has been equipped */

static int warn_and_note (lua_State *L) {
  if (lua_gettop(L) == 1 && lua_type(L, 1) == LUA_TSTRING) control_copies(lua_tostring(L, 1));
  return warn_of_lua(L);
}

void state_note_warn (lua_State *L) {
  lua_getglobal(L, "warn");
  if (lua_iscfunction(L, -1) && lua_tocfunction(L, -1) != warn_and_note) {
    warn_of_lua = lua_tocfunction(L, -1);
    replace_function(L, LUA_GNAME, "warn", warn_and_note);
  }
  lua_pop(L, 1);
}

static void warn_off (void *ud, const char *message, int to_continue) {
  warn_control(ud, message, to_continue);
}

static void warn_continue (void *ud, const char *message, int to_continue) {
  fputs(message, stderr);
  if (to_continue) lua_setwarnf(ud, warn_continue, ud);
  else {
    fputc('\n', stderr);
    lua_setwarnf(ud, warn_on, ud);
  }
}

static void warn_on (void *ud, const char *message, int to_continue) {
  if (warn_control(ud, message, to_continue)) return;
  fputs("Lua warning: ", stderr);
  warn_continue(ud, message, to_continue);
}

lua_State *state_make (lua_Alloc alloc, void *ud, lua_CFunction equip) {
  lua_State *L = lua_newstate(alloc, ud);
  if (L == NULL) return NULL;
  lua_atpanic(L, panic);
  lua_setwarnf(L, warn_off, L);
  lua_pushcfunction(L, open_all);
  if (equip != NULL) lua_pushcfunction(L, equip);
  if (lua_pcall(L, lua_gettop(L) - 1, 0, 0) != LUA_OK) {
    lua_close(L);
    return NULL;
  }
  return L;
}

/*
** The states of real threads. Opening the libraries is most of what a thread
** costs, so it is done once and later states are copies of that one, moved to
** where they live. Their strings have the same hash seed; random numbers start
** differently in each.
*/

/* (entropy, entropy) In protected mode. */
static int reseed (lua_State *L) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  lua_getfield(L, -1, LUA_MATHLIBNAME);
  lua_getfield(L, -1, "randomseed");
  lua_insert(L, 1);
  lua_settop(L, 3);
  lua_call(L, 2, 0);
  return 0;
}

static void seed_random (lua_State *L, lua_Integer high, lua_Integer low) {
  lua_pushcfunction(L, reseed);
  lua_pushinteger(L, high);
  lua_pushinteger(L, low);
  if (lua_pcall(L, 2, 0, 0) != LUA_OK) lua_pop(L, 1);
}

static void seed_afresh (lua_State *L) {
  static atomic_llong drawn;
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  seed_random(L, (lua_Integer)now.tv_sec << 32 ^ now.tv_nsec, 1 + atomic_fetch_add(&drawn, 1));
}

#if defined(__SANITIZE_ADDRESS__)

/* AddressSanitizer sees more when every block comes from malloc. */
static void *allocate (void *ud, void *block, size_t old, size_t new) {
  (void)ud;
  (void)old;
  if (new != 0) return realloc(block, new);
  free(block);
  return NULL;
}

static lua_State *open_state (void) { return state_make(allocate, NULL, NULL); }

#else

static pthread_mutex_t pristine_mu = PTHREAD_MUTEX_INITIALIZER;
static HeapImage *pristine;       /* under pristine_mu; const once made */
static lua_State *pristine_state; /* where the state lay in it; likewise */
static int opened;                /* under pristine_mu; how often there was none */

static lua_State *build (Heap **h, lua_Alloc alloc) {
  *h = heap_new();
  return *h != NULL ? state_make(alloc, *h, NULL) : NULL;
}

static void trim (lua_State *L) {
  void *h;
  if (lua_getallocf(L, &h) == heap_alloc) heap_trim(h);
}

/* Builds a state and keeps the image of it, if it can be moved; under pristine_mu. */
static lua_State *build_pristine (void) {
  Heap *h;
  lua_State *L = build(&h, heap_alloc_clean);
  if (L == NULL) return NULL;
  lua_gc(L, LUA_GCCOLLECT);
  seed_random(L, 0, 0); /* no random number must look like an address */
  pristine = heap_image(h);
  if (pristine != NULL && !state_is_movable(L, h)) { /* asked last: it leaves garbage in L */
    free(pristine);
    pristine = NULL;
  }
  lua_setallocf(L, heap_alloc, h);
  pristine_state = L;
  return L;
}

/* The first state is the main one: a program without threads needs no image. */
static lua_State *open_state (void) {
  const HeapImage *image;
  Heap *h;
  lua_State *L;
  atomic_store_explicit(&burden_trim, trim, memory_order_relaxed);
  pthread_mutex_lock(&pristine_mu);
  image = pristine;
  if (image != NULL) L = pristine_state;
  else L = opened++ == 0 ? build(&h, heap_alloc) : build_pristine();
  pthread_mutex_unlock(&pristine_mu);
  return image != NULL ? heap_copy(image, L) : L;
}

#endif

lua_State *state_open (void) {
  lua_State *L = open_state();
  if (L != NULL) seed_afresh(L);
  return L;
}

static const char *const path_names[] = {"path", "cpath"};

/* Pushes the table `package`; true: it is one. Raises nothing in a state of ours. [0, +1] */
static bool push_package (lua_State *L) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &package_key) == LUA_TTABLE) return true;
  lua_pop(L, 1);
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  lua_getfield(L, -1, LUA_LOADLIBNAME);
  lua_remove(L, -2);
  return lua_istable(L, -1);
}

/*
** Pushes package.path and package.cpath, and says what they are where they are
** strings. No new string is needed for that. [0, +2]
*/
static void push_paths (lua_State *L, const char *values[2], size_t lengths[2]) {
  bool table = push_package(L);
  for (int i = 0; i < 2; i++) {
    lua_pushstring(L, table ? path_names[i] : NULL);
    if (table) lua_rawget(L, -2 - i);
    values[i] = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, &lengths[i]) : NULL;
  }
  lua_remove(L, -3);
}

/* (values, lengths) sets package.path and package.cpath; in protected mode. */
static int set_paths (lua_State *L) {
  const char **values = args_inner(L, 1);
  const size_t *lengths = args_inner(L, 2);
  if (!push_package(L)) return 0;
  for (int i = 0; i < 2; i++) {
    if (values[i] == NULL) continue;
    lua_pushlstring(L, values[i], lengths[i]);
    lua_setfield(L, -2, path_names[i]);
  }
  return 0;
}

static atomic_bool warnings; /* -W */

void state_turn_warnings_on (lua_State *L) {
  atomic_store(&warnings, true);
  lua_setwarnf(L, warn_on, L);
}

void state_inherit (lua_State *from, lua_State *to) {
  state_copy_paths(from, to);
  if (atomic_load_explicit(&warnings, memory_order_relaxed)) lua_setwarnf(to, warn_on, to);
}

void state_copy_paths (lua_State *from, lua_State *to) {
  const char *values[2], *old[2];
  size_t lengths[2], old_lengths[2];
  bool same = true;
  luaL_checkstack(from, 4, NULL);
  push_paths(from, values, lengths); /* they stay on the stack */
  push_paths(to, old, old_lengths);
  for (int i = 0; i < 2; i++)
    if (values[i] != NULL)
      same = same && old[i] != NULL && lengths[i] == old_lengths[i]
             && memcmp(values[i], old[i], lengths[i]) == 0;
  lua_pop(to, 2);
  if (!same) {
    lua_pushcfunction(to, set_paths);
    lua_pushlightuserdata(to, values);
    lua_pushlightuserdata(to, lengths);
    if (lua_pcall(to, 2, 0, 0) != LUA_OK) lua_pop(to, 1);
  }
  lua_pop(from, 2);
}
