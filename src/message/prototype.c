/*
** prototype.c - see prototype.h.
*/
#include <lauxlib.h>

#include "base/probe.h"
#include "message/prototype.h"

/* Words of struct LClosure on 64-bit machines, in all releases of 5.4. */
enum { PROTOTYPE = 3, FIRST_UPVALUE, SECOND_UPVALUE };

static Probe words_work;

static const void *word_of (lua_State *L, int index, int word) {
  return ((void *const *)lua_topointer(L, index))[word];
}

/* Whether the words of the function at `index`, which has two upvalues, are where we look for them. */
static bool has_words (lua_State *L, int index) {
  return word_of(L, index, FIRST_UPVALUE) == lua_upvalueid(L, index, 1)
         && word_of(L, index, SECOND_UPVALUE) == lua_upvalueid(L, index, 2);
}

static int probe (lua_State *L) {
  static const char program[] = "local function make(n) local a, b = n, n + 1 "
                                "return function() return a, b end, function() return b, a end end "
                                "local first, other = make(1) return first, make(2), other";
  bool works = luaL_loadstring(L, program) == LUA_OK && lua_pcall(L, 0, 3, 0) == LUA_OK;
  works = works && has_words(L, 1) && has_words(L, 2) && has_words(L, 3)
          && word_of(L, 1, PROTOTYPE) == word_of(L, 2, PROTOTYPE)
          && word_of(L, 1, PROTOTYPE) != word_of(L, 3, PROTOTYPE);
  lua_pushboolean(L, works);
  return 1;
}

void prototype_prepare (void) { probe_run(&words_work, probe); }

const void *prototype_of (lua_State *L, int index) {
  return probe_holds(&words_work) ? word_of(L, index, PROTOTYPE) : NULL;
}
