/*
** source_line.c - file and line of a running function.
**
** The instruction a Lua function has come to is not part of Lua's interface.
** It stands in its CallInfo, to which lua_Debug holds a pointer, at an offset
** that all releases of 5.4 share; source_line_here is right without it. Behind it stands
** what kind of function it is: one in C has what a call before it has left there. That both
** are where they are expected is tested once (probe): the instruction must differ between
** two calls on one line, and be the same again in a loop. Where they are not,
** every mark looks up its line.
*/
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include <lauxlib.h>

#include "base/source_line.h"

#define SAVED_PC 32 /* offsets in struct CallInfo on 64-bit machines */
#define CALL_STATUS 62
#define STATUS_C 2 /* the call is of a function in C */

enum { UNTESTED, WORKS, FAILS };
static atomic_int saved_pc = UNTESTED;

/* Returns the level of that function; 0: there is none. */
static int find_line (lua_State *L, SourceLine *place) {
  lua_Debug ar;
  place->line = -1;
  place->source[0] = '\0';
  for (int level = 1; lua_getstack(L, level, &ar); level++) {
    lua_getinfo(L, "Sl", &ar);
    if (ar.currentline >= 0) {
      place->line = ar.currentline;
      memcpy(place->source, ar.short_src, sizeof place->source);
      return level;
    }
  }
  return 0;
}

void source_line_here (lua_State *L, SourceLine *place) { find_line(L, place); }

/* NULL: it is a function in C. */
static const void *instruction_of (const lua_Debug *ar) {
  const void *instruction;
  unsigned short status;
  memcpy(&status, (const char *)ar->i_ci + CALL_STATUS, sizeof status);
  if (status & STATUS_C) return NULL;
  memcpy(&instruction, (const char *)ar->i_ci + SAVED_PC, sizeof instruction);
  return instruction;
}

_Thread_local bool source_line_unmarked;

void source_line_mark (lua_State *L, CallSite *mark) {
  lua_Debug ar;
  SourceLine place;
  const void *instruction = NULL;
  if (source_line_unmarked) return;
  if (atomic_load_explicit(&saved_pc, memory_order_relaxed) == WORKS && lua_getstack(L, 1, &ar)) {
    instruction = instruction_of(&ar);
    if (instruction != NULL
        && instruction == atomic_load_explicit(&mark->instruction, memory_order_relaxed))
      return;
  }
  if (find_line(L, &place) != 1) instruction = NULL; /* the caller, as pcall, has none */
  spinlock_take(&mark->spin);
  atomic_store_explicit(&mark->instruction, instruction, memory_order_relaxed);
  mark->place = place;
  spinlock_give(&mark->spin);
}

void source_line_read (CallSite *mark, SourceLine *place) {
  spinlock_take(&mark->spin);
  *place = mark->place;
  spinlock_give(&mark->spin);
}

const void *source_line_instruction (lua_State *L, int *line) {
  lua_Debug ar;
  if (atomic_load_explicit(&saved_pc, memory_order_relaxed) != WORKS || !lua_getstack(L, 1, &ar))
    return NULL;
  lua_getinfo(L, "l", &ar);
  *line = ar.currentline;
  return ar.currentline > 0 ? instruction_of(&ar) : NULL;
}

/* Notes the instruction of its caller, probe's own; it has none itself. */
static int note_instruction (lua_State *L) {
  lua_Debug self, caller;
  const void **next = lua_touserdata(L, lua_upvalueindex(1));
  int n = (int)lua_tointeger(L, 1);
  if (lua_getstack(L, 0, &self) && instruction_of(&self) == NULL && lua_getstack(L, 1, &caller))
    next[n] = instruction_of(&caller);
  return 0;
}

void source_line_probe (lua_State *L) {
  const void *seen[4] = {NULL};
  int top = lua_gettop(L);
  bool works;
  if (atomic_load(&saved_pc) != UNTESTED) return;
  if (sizeof(void *) == 8
      && luaL_loadstring(L, "local f = ... for i = 0, 2, 2 do f(i) f(i + 1) end") == LUA_OK) {
    lua_pushlightuserdata(L, seen);
    lua_pushcclosure(L, note_instruction, 1);
    lua_call(L, 1, 0);
  }
  lua_settop(L, top);
  works = seen[0] != NULL && seen[0] == seen[2] && seen[1] == seen[3] && seen[0] != seen[1];
  atomic_store(&saved_pc, works ? WORKS : FAILS);
}
