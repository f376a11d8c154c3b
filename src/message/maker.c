/*
** maker.c - see maker.h.
**
** Loading code takes a dozen blocks of memory, a closure of code that is there takes one.
** So code that comes again and again gets a *maker* in this state, a function that
** returns a new closure of it with each call:
**
**     local a1, a2 return function() return a1, a2 end
**
** as Lua compiles it, with the code in place of the inner function. What says that the
** upvalues are the outer one's locals stays as Lua compiled it.
**
** A simulated world goes without: a search compares states, and what a state has got
** before must not tell two of them apart.
*/
#include <string.h>

#include <lauxlib.h>

#include "message/dump.h"
#include "message/maker.h"
#include "message/private.h"
#include "world/thread_record.h"

#define MAKERS 64
#define WORTH 3          /* so many times the code must have come */
#define CODE_MOST 8192   /* bytes of code */
#define UPVALUES_MOST 60 /* which a function returns */
#define INSTRUCTIONS 16  /* more than a maker has */

enum { CODE = 1, MAKER, WORDS }; /* in the table of values, for each entry */

typedef struct Entry {
  uint64_t hash; /* of the code; 0: free */
  int seen;      /* how often that has come; WORTH: it has a maker; -1: it cannot have one */
} Entry;

typedef struct Makers {
  Entry entries[MAKERS];
} Makers;

static const char makers_key; /* the userdata; its user value is the table */

/* Pushes the table of values. [0, +1, memory] */
static Makers *push_makers (lua_State *L) {
  Makers *makers;
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &makers_key) == LUA_TUSERDATA)
    makers = lua_touserdata(L, -1);
  else {
    lua_pop(L, 1);
    makers = lua_newuserdatauv(L, sizeof *makers, 1);
    memset(makers, 0, sizeof *makers);
    lua_newtable(L);
    lua_setiuservalue(L, -2, 1);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &makers_key);
  }
  lua_getiuservalue(L, -1, 1);
  lua_remove(L, -2);
  return makers;
}

static uint64_t hash_of (const unsigned char *code, size_t length) {
  uint64_t hash = length * UINT64_C(0x9E3779B97F4A7C15), last = 0;
  for (; length >= sizeof last; code += sizeof last, length -= sizeof last) {
    hash = (hash ^ get64(code)) * UINT64_C(0xBF58476D1CE4E5B9);
    hash ^= hash >> 29;
  }
  memcpy(&last, code, length);
  hash = (hash ^ last) * UINT64_C(0xBF58476D1CE4E5B9);
  return (hash ^ hash >> 32) | 1;
}

/*
** Making.
*/

/* Adds the names of so many locals. */
static void add_locals (luaL_Buffer *b, int n) {
  char name[16];
  for (int i = 1; i <= n; i++) {
    snprintf(name, sizeof name, "%sa%d", i > 1 ? "," : "", i);
    luaL_addstring(b, name);
  }
}

/* Pushes the code of a maker of functions with so many upvalues. [0, +1, raises] */
static void push_template (lua_State *L, int nups) {
  luaL_Buffer b;
  size_t length;
  const char *program;
  luaL_buffinit(L, &b);
  if (nups > 0) luaL_addstring(&b, "local ");
  add_locals(&b, nups);
  luaL_addstring(&b, " return function() return ");
  add_locals(&b, nups);
  luaL_addstring(&b, " end");
  luaL_pushresult(&b);
  program = lua_tolstring(L, -1, &length);
  if (luaL_loadbufferx(L, program, length, "=maker", "t") != LUA_OK) lua_error(L);
  dump_push_code(L, true);
  lua_replace(L, -3);
  lua_pop(L, 1);
}

/* Pushes a maker for the code; false, and nil: it cannot have one. [0, +1, raises] */
static bool push_new_maker (lua_State *L, const unsigned char *code, size_t length, int nups) {
  BytecodeParts outer, from, to;
  const unsigned char *template;
  size_t size;
  luaL_Buffer b;
  push_template(L, nups);
  template = (const unsigned char *)lua_tolstring(L, -1, &size);
  if (!bytecode_parts(template, size, &outer, &to) || !bytecode_parts(code, length, &from, NULL)
      || to.count != (size_t)nups || from.count != (size_t)nups) {
    lua_pop(L, 1);
    lua_pushnil(L);
    return false;
  }
  luaL_buffinit(L, &b);
  luaL_addlstring(&b, (const char *)template, to.begin);
  luaL_addlstring(&b, (const char *)code + from.begin, from.upvalues - from.begin);
  luaL_addlstring(&b, (const char *)template + to.upvalues, to.inner - to.upvalues);
  luaL_addlstring(&b, (const char *)code + from.inner, from.end - from.inner);
  luaL_addlstring(&b, (const char *)template + to.end, size - to.end);
  luaL_pushresult(&b);
  template = (const unsigned char *)lua_tolstring(L, -1, &size);
  if (luaL_loadbufferx(L, (const char *)template, size, "=maker", "b") != LUA_OK) lua_error(L);
  lua_replace(L, -3);
  lua_pop(L, 1);
  return true;
}

/* Gives the entry `i`, whose table of values is at the top, a maker. [0, 0, raises] */
static void give_maker (lua_State *L, Entry *entry, lua_Integer i, const unsigned char *code,
                        size_t length, int nups) {
  entry->seen = -1; /* should it raise */
  lua_pushlstring(L, (const char *)code, length);
  lua_rawseti(L, -2, i * WORDS + CODE);
  if (push_new_maker(L, code, length, nups)) entry->seen = WORTH;
  lua_rawseti(L, -2, i * WORDS + MAKER);
}

/*
** Using.
*/

/* Whether the code is that of the entry `i`, whose table of values is at the top. [0, 0, -] */
static bool is_code_of (lua_State *L, lua_Integer i, const unsigned char *code, size_t length) {
  size_t size;
  const char *kept;
  bool same;
  lua_rawgeti(L, -1, i * WORDS + CODE);
  kept = lua_tolstring(L, -1, &size);
  same = kept != NULL && size == length && memcmp(kept, code, length) == 0;
  lua_pop(L, 1);
  return same;
}

/*
** Pushes a closure by the maker of entry `i`, whose table is at the top. An interrupt waits
** until the message is here. [0, +1, memory]
*/
static void push_closure (lua_State *L, lua_Integer i) {
  int grace = thread_self->grace;
  lua_rawgeti(L, -1, i * WORDS + MAKER);
  thread_self->grace = grace + INSTRUCTIONS;
  lua_call(L, 0, 1);
  thread_self->grace = grace;
}

/* Whether the code had a maker, and pushes a function of it. [0, +(0|1), raises] */
static bool push_made (lua_State *L, const unsigned char *code, size_t length, int nups) {
  uint64_t hash = hash_of(code, length);
  lua_Integer i = (lua_Integer)(hash >> 1) % MAKERS;
  Makers *makers = push_makers(L);
  Entry *entry = &makers->entries[i];
  bool made;
  if (entry->hash != hash) *entry = (Entry){.hash = hash};
  if (entry->seen >= 0 && entry->seen < WORTH && ++entry->seen == WORTH)
    give_maker(L, entry, i, code, length, nups);
  made = entry->seen == WORTH && is_code_of(L, i, code, length);
  if (made) {
    push_closure(L, i);
    lua_replace(L, -2);
  }
  else lua_pop(L, 1);
  return made;
}

void maker_push_function (lua_State *L, const unsigned char *code, size_t length, int nups) {
  bool may = length <= CODE_MOST && nups <= UPVALUES_MOST && lua_gethook(L) == NULL
             && !world_memory_is_own(thread_self->object.world);
  if (may && push_made(L, code, length, nups)) return;
  if (luaL_loadbufferx(L, (const char *)code, length, "=message", "b") != LUA_OK) lua_error(L);
  lua_pushliteral(L, ""); /* gives the collector its turn, which lua_load alone never does */
  lua_pop(L, 1);
}
