/*
** names_address.c - Lua's own C functions by their addresses.
**
** A script may have replaced a function of a library (`print`, `string.format`) before
** its state has learnt what is called how, and keep the original in a local. Its
** address is the same in every state, so one list serves the whole process: what has
** been put in place of Lua's own, and, once it is asked for, all that a fresh state has.
*/
#include <pthread.h>

#include <lualib.h>

#include "message/private.h"

#define ADDRESSES 400
#define WORD 24 /* bytes of a library's or a function's name */

static struct {
  lua_CFunction f; /* NULL: what has this name in a simulated world needs its upvalue */
  char library[WORD], name[WORD];
} known[ADDRESSES]; /* under mu */
static int count;   /* under mu */
static bool filled; /* with what a fresh state has; under mu */
static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;

/* The place of f; -1: it is not known. Under mu. */
static int find (lua_CFunction f) {
  for (int i = 0; i < count; i++)
    if (known[i].f == f) return i;
  return -1;
}

/* The place of what has that name and is a closure, or is none. Under mu. */
static int find_name (const char *library, const char *name, bool closure) {
  for (int i = 0; i < count; i++)
    if ((known[i].f == NULL) == closure && strcmp(known[i].name, name) == 0
        && strcmp(known[i].library, library) == 0)
      return i;
  return -1;
}

void names_note_address (lua_CFunction f, const char *library, const char *name) {
  pthread_mutex_lock(&mu);
  if (count < ADDRESSES && strlen(library) < WORD && strlen(name) < WORD
      && (f != NULL ? find(f) : find_name(library, name, true)) < 0) {
    known[count].f = f;
    strcpy(known[count].library, library);
    strcpy(known[count++].name, name);
  }
  pthread_mutex_unlock(&mu);
}

/* Notes the C functions in the library at the top of a fresh state. [-1, 0, -] */
static void note_library (lua_State *L, const char *library) {
  bool globals = strcmp(library, LUA_GNAME) == 0;
  for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
    const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : NULL;
    if (name != NULL && lua_iscfunction(L, -1) && (!globals || names_is_basic(name)))
      names_note_address(lua_tocfunction(L, -1), library, name);
  }
  lua_pop(L, 1);
}

static int note_all (lua_State *L) {
  const char *const *libraries = names_libraries();
  luaL_openlibs(L);
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  lua_getfield(L, 1, LUA_GNAME);
  note_library(L, LUA_GNAME);
  for (int i = 0; libraries[i] != NULL; i++) {
    lua_getfield(L, 1, libraries[i]);
    note_library(L, libraries[i]);
  }
  return 0;
}

static void fill (void) {
  lua_State *L;
  bool done;
  pthread_mutex_lock(&mu);
  done = filled;
  pthread_mutex_unlock(&mu);
  if (done || (L = luaL_newstate()) == NULL) return;
  lua_pushcfunction(L, note_all);
  done = lua_pcall(L, 0, 0, 0) == LUA_OK;
  lua_close(L);
  pthread_mutex_lock(&mu);
  filled = done;
  pthread_mutex_unlock(&mu);
}

bool names_push_of_address (lua_State *L, lua_CFunction f) {
  char library[WORD], name[WORD];
  int i;
  bool longer;
  fill();
  pthread_mutex_lock(&mu);
  i = find(f);
  if (i >= 0) {
    memcpy(library, known[i].library, WORD);
    memcpy(name, known[i].name, WORD);
  }
  pthread_mutex_unlock(&mu);
  if (i < 0) return false;
  name_push(L, NAME_LOADED, library);
  longer = name_push_longer(L, -1, (NameStep){STEP_FIELD, name, strlen(name)});
  lua_remove(L, longer ? -2 : -1);
  return longer;
}

lua_CFunction names_address (const char *library, const char *name, bool simulated) {
  lua_CFunction f = NULL;
  int i;
  fill();
  pthread_mutex_lock(&mu);
  i = find_name(library, name, false);
  if (i >= 0 && !(simulated && find_name(library, name, true) >= 0)) f = known[i].f;
  pthread_mutex_unlock(&mu);
  return f;
}
