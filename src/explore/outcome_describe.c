/*
** outcome_describe.c - a group's simplest execution once more, step by step: what each step does and
** where, and what the world has to say at the end.
*/
#include <stdlib.h>
#include <string.h>
#include "explore/fewest.h"
#include "explore/minimise.h"
#include "explore/outcome.h"
#include "objects/shared/shared.h"
#include "observe/deadlock.h"
#include "thread/name.h"

static void push_step (lua_State *L, WorldSubject *w, int thread);

/* In `overtaken`, of the step on top, the first thread that could go while the clock goes on. */
static void set_overtaken (lua_State *L, WorldSubject *w) {
  Subject s = world_subject_calls(w);
  char name[64];
  Peek p;
  for (int t = 0; t < s.threads(s.ud); t++) {
    int serial = world_subject_serial(w, t);
    if (serial < 0 || !s.peek(s.ud, t, &p) || !p.enabled) continue;
    thread_copy_name(sim_thread_of(world_subject_sim(w), serial), name);
    lua_pushstring(L, name);
    lua_setfield(L, -2, "overtaken");
    push_step(L, w, t); /* where it stands */
    lua_setfield(L, -2, "at");
    return;
  }
}

/* Pushes the SharedKey of an operation. [0, +1, memory] */
static void push_key (lua_State *L, const void *key) {
  const SharedKey *k = key;
  switch (k->tag) {
    case SLOT_INTEGER: lua_pushinteger(L, k->u.integer); break;
    case SLOT_FLOAT: lua_pushnumber(L, k->u.number); break;
    case SLOT_TRUE:
    case SLOT_FALSE: lua_pushboolean(L, k->tag == SLOT_TRUE); break;
    case SLOT_TEXT_IN:
    case SLOT_LONG: lua_pushlstring(L, k->u.text, k->length); break;
    case SLOT_OBJECT: {
      char name[64];
      lua_pushstring(L, object_name(k->u.object, name));
      break;
    }
    default: lua_pushliteral(L, "?");
  }
}

/*
** Sets in the step on top how the script has asked for the operation: `call`, what it calls the
** function that does it, where no operator does; `within`, the function that has called that
** ("insert" where table.insert asks a Shared for its length). The names are the world's: they are
** copied, and nothing is made there.
*/
static void set_call (lua_State *L, lua_State *caller) {
  lua_Debug ar;
  for (int level = 0; lua_getstack(caller, level, &ar); level++) {
    if (lua_getinfo(caller, "Sn", &ar) == 0 || *ar.what != 'C') return;
    if (strcmp(ar.namewhat, "metamethod") == 0) continue;
    lua_pushstring(L, ar.name); /* nil, where there is none */
    lua_setfield(L, -2, level == 0 ? "call" : "within");
  }
}

/* Pushes what is known of the operation that the thread is held in front of. [0, +1, memory] */
static void push_step (lua_State *L, WorldSubject *w, int thread) {
  Sim *sim = world_subject_sim(w);
  int serial = world_subject_serial(w, thread);
  const Op *op = serial >= 0 ? sim_pending(sim, serial) : NULL;
  char name[64];
  SourceLine line;
  lua_createtable(L, 0, 8);
  if (op == NULL) {
    lua_pushliteral(L, "the clock goes on");
    lua_setfield(L, -2, "operation");
    set_overtaken(L, w);
    return;
  }
  thread_copy_name(sim_thread_of(sim, serial), name);
  lua_pushstring(L, name);
  lua_setfield(L, -2, "thread");
  lua_pushstring(L, op_info[op->kind].word);
  lua_setfield(L, -2, "operation");
  set_call(L, op->L);
  if (op->removes) {
    lua_pushboolean(L, true);
    lua_setfield(L, -2, "removes");
  }
  if (op->object != NULL) {
    lua_pushstring(L, op->object->kind->name);
    lua_setfield(L, -2, "kind");
    lua_pushstring(L, object_name(op->object, name));
    lua_setfield(L, -2, "object");
  }
  if (op->key != NULL) {
    push_key(L, op->key);
    lua_setfield(L, -2, "key");
  }
  source_line_here(op->L, &line);
  lua_pushstring(L, line.source);
  lua_setfield(L, -2, "source");
  lua_pushinteger(L, line.line);
  lua_setfield(L, -2, "line");
}

/* Whether no thread can go on; an execution that has been cut is none. */
static bool is_stuck (WorldSubject *w) {
  Subject s = world_subject_calls(w);
  Peek p;
  for (int t = 0; t < s.threads(s.ud); t++)
    if (s.peek(s.ud, t, &p) && p.enabled) return false;
  return true;
}

/* Lets the threads that are held stand in line, so that a report sees what they wait for. */
static void let_wait (Sim *sim) {
  for (int i = 0; i < sim_thread_count(sim) && !sim_is_over(sim); i++)
    if (sim_pending(sim, i) != NULL) sim_step(sim, i);
}

/* What the world has to say at the end of such a run. */
static void set_end (lua_State *L, WorldSubject *w) {
  const SimReport *r = world_subject_report(w);
  Sim *sim = world_subject_sim(w);
  bool goes_round = lua_getfield(L, -1, "cycle") != LUA_TNIL;
  char *text;
  lua_pop(L, 1);
  if (!sim_is_over(sim) && is_stuck(w)) let_wait(sim);
  if (!sim_is_over(sim) && !goes_round) {
    text = deadlock_text(sim_world(sim));
    lua_pushstring(L, text != NULL ? text : "not enough memory to say more");
    free(text);
    lua_setfield(L, -2, "report");
    if (sim_world(sim)->first_error != NULL) {
      lua_pushstring(L, sim_world(sim)->first_error);
      lua_setfield(L, -2, "before"); /* what may be the reason that nobody comes */
    }
  }
  lua_pushlstring(L, r->output != NULL ? r->output : "", r->output_length);
  lua_setfield(L, -2, "output");
}

/* The operation of the cause that has not been done: the group is on top. */
static void set_pending_cause (lua_State *L, WorldSubject *w) {
  int group = lua_gettop(L);
  if (lua_getfield(L, -1, "cause") == LUA_TTABLE && lua_getfield(L, -1, "thread") != LUA_TNIL) {
    push_step(L, w, (int)lua_tointeger(L, -1));
    lua_setfield(L, -3, "step");
  }
  lua_settop(L, group);
}

/* Raises where the world could not be made once more. [0, 0, raises] */
static void check_world (lua_State *L, WorldSubject *w) {
  const char *problem = world_subject_problem(w);
  if (world_subject_sim(w) == NULL)
    luaL_error(L, "%s", problem != NULL ? problem : "not enough memory");
}

void outcome_describe (lua_State *L, WorldSubject *w) {
  Subject s = world_subject_calls(w);
  lua_Integer preempted = 0; /* a thread lost its turn while it could go on */
  size_t length, cycle, round = NO_ROUND;
  const char *path;
  int last = -1;
  lua_getfield(L, -1, "cycle");
  cycle = (size_t)lua_tointeger(L, -1);
  lua_pop(L, 1);
  lua_getfield(L, -1, "path");
  path = lua_tolstring(L, -1, &length);
  world_subject_mark_places(w, true);
  lua_createtable(L, (int)length, 0); /* group path steps */
  if (s.rewind(s.ud, 0) == 0)
    for (size_t i = 0; i < length; i++) {
      Effects effects = {0};
      preempted += minimise_preempts(&s, path[i], &last);
      if (i + 1 == cycle) round = world_subject_report(w)->schedule.count;
      push_step(L, w, path[i]);
      lua_pushnumber(L, (lua_Number)sim_clock(world_subject_sim(w)) / NANOS);
      lua_setfield(L, -2, "time");
      lua_rawseti(L, -2, (lua_Integer)i + 1);
      if (!s.step(s.ud, path[i], &effects)) break;
    }
  check_world(L, w);
  lua_pushinteger(L, preempted);
  lua_setfield(L, -4, "preemptions");
  lua_setfield(L, -3, "trace");
  lua_pop(L, 1);
  lua_pushnil(L);
  lua_setfield(L, -2, "path");
  set_pending_cause(L, w);
  if (lua_getfield(L, -1, "schedule") == LUA_TNIL)
    outcome_set_schedule(L, lua_gettop(L) - 1, w, round);
  lua_pop(L, 1);
  set_end(L, w);
}
