/*
** explore.c - sync.explore(fn [, opts]): runs fn under every interleaving.
**
** The search (search.c) moves a world step by step; at each end of an execution its
** outcome is looked at. What is alike goes into one group, by kind and message. All text
** but the messages themselves is made in Lua, from a second run of a group's schedule
** (lua/luasync/explore.lua).
**
** Where threads wait for times there are two searches, unless the options say otherwise:
** one in which each step is quicker than any timeout, and, if all is well in that, one in which
** any step may take longer.
*/
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "explore/exploration.h"
#include "explore/outputs.h"
#include "observe/recorder.h"
#include "world/args.h"
#include "world/lua_module.h"

#define PREEMPTIONS_MOST 1000000
#define MINIMISE_MOST 200000 /* steps, for all failures together, */
#define MINIMISE_FEW 5000    /* and where somebody waits for the end */

static const char *const ways[] = {"default", "dpor", "states", "dfs", "bounded",
                                   "random",  "pct",  "pos",    "urw", NULL};

const char *explore_way_name (int way) { return ways[way]; }

#define EARLY_PART 4 /* of the budget is for early ticks at most, where all is known without */

/*
** The Lua side.
*/

static int exploration_free (lua_State *L) {
  Exploration **box = lua_touserdata(L, 1), *x;
  if (box == NULL || luaL_getmetafield(L, 1, "__gc") == LUA_TNIL
      || lua_tocfunction(L, -1) != exploration_free)
    return 0; /* a hook has led somebody here */
  x = *box;
  *box = NULL;
  if (x == NULL) return 0;
  exploration_end(x);
  dpor_free(x->dpor);
  prospect_free(x->prospect);
  state_graph_free(x->graph);
  drawing_free(x->drawing);
  seen_free(&x->seen);
  world_subject_free(x->world);
  message_free(x->request.work);
  message_free(x->request.outcome);
  free(x);
  return 0;
}

static lua_Integer positive (lua_State *L, int index, const char *field, lua_Integer least,
                             lua_Integer otherwise) {
  lua_Integer n = otherwise;
  if (lua_getfield(L, index, field) != LUA_TNIL) {
    int is_integer = lua_type(L, -1) == LUA_TNUMBER; /* 1e5 is one as well */
    if (is_integer) n = lua_tointegerx(L, -1, &is_integer);
    luaL_argcheck(L, is_integer && n >= least, index,
                  lua_pushfstring(L, "field '%s' must be %s", field,
                                  least > 0 ? "a positive integer" : "an integer, 0 or more"));
  }
  lua_pop(L, 1);
  return n;
}

static bool has_field (lua_State *L, int index, const char *field) {
  bool has = lua_getfield(L, index, field) != LUA_TNIL;
  lua_pop(L, 1);
  return has;
}

static int read_way (lua_State *L, int index) {
  int way = WAY_DEFAULT + 1;
  if (lua_getfield(L, index, "strategy") == LUA_TNIL) {
    lua_pop(L, 1);
    return has_field(L, index, "preemptions") ? WAY_BOUNDED : WAY_DEFAULT;
  }
  luaL_argcheck(L, lua_type(L, -1) == LUA_TSTRING, index, "field 'strategy' must be a string");
  while (ways[way] != NULL && strcmp(ways[way], lua_tostring(L, -1)) != 0) way++;
  luaL_argcheck(L, ways[way] != NULL, index,
                lua_pushfstring(L, "field 'strategy': unknown strategy '%s'", lua_tostring(L, -1)));
  lua_pop(L, 1);
  return way;
}

/* Options that say nothing in that way are mistakes. */
static void check_together (lua_State *L, int index, int way) {
  bool by_graph = way == WAY_STATES || way == WAY_BOUNDED, draws = way >= WAY_RANDOM;
  if (has_field(L, index, "preemptions") && way != WAY_BOUNDED)
    luaL_argerror(L, index,
                  lua_pushfstring(L, "field 'preemptions' goes with strategy 'bounded', not '%s'",
                                  ways[way]));
  if (has_field(L, index, "executions") && by_graph)
    luaL_argerror(L, index,
                  lua_pushfstring(L,
                                  "field 'executions' does not go with strategy '%s', which "
                                  "visits states: give 'seconds'",
                                  ways[way]));
  if (has_field(L, index, "seed") && way != WAY_DEFAULT && !draws)
    luaL_argerror(L, index,
                  lua_pushfstring(L,
                                  "field 'seed' does not go with strategy '%s', which draws "
                                  "nothing",
                                  ways[way]));
  if (by_graph && lua_getfield(L, index, "outputs") != LUA_TNIL && lua_toboolean(L, -1))
    luaL_argerror(L, index,
                  lua_pushfstring(L,
                                  "field 'outputs' does not go with strategy '%s', whose states "
                                  "do not tell what was printed",
                                  ways[way]));
}

static void read_budget (lua_State *L, int index, ExploreOptions *o) {
  if (lua_getfield(L, index, "seconds") != LUA_TNIL) {
    lua_Number seconds = lua_tonumber(L, -1);
    luaL_argcheck(L, lua_type(L, -1) == LUA_TNUMBER && seconds > 0, index,
                  "field 'seconds' must be a positive number");
    o->seconds = seconds > 1e9 ? FOREVER : (Nanos)(seconds * NANOS);
    o->executions = LUA_MAXINTEGER;
  }
  lua_pop(L, 1);
  if (has_field(L, index, "executions") && o->executions != LUA_MAXINTEGER)
    o->seconds = EXPLORE_LIMIT;
  o->executions = positive(L, index, "executions", 1, o->executions);
}

/*
** How many ticks may come early: 0 or math.huge. A number between them would be neither exact
** nor complete, as whether a tick is early differs between executions that are one.
*/
static void read_early_ticks (lua_State *L, int index, ExploreOptions *o) {
  if (lua_getfield(L, index, "early_ticks") != LUA_TNIL) {
    lua_Number n = lua_tonumber(L, -1);
    luaL_argcheck(L, lua_type(L, -1) == LUA_TNUMBER && (n == 0 || n == (lua_Number)INFINITY), index,
                  "field 'early_ticks' must be 0 or math.huge");
    o->early_ticks = n > 0;
    o->one_search = true;
  }
  lua_pop(L, 1);
}

static void read_options (lua_State *L, int index, ExploreOptions *o) {
  static const char *const known[] = {"executions",  "seconds",   "strategy",    "seed",    "trace",
                                      "preemptions", "snapshots", "early_ticks", "outputs", NULL};
  lua_Integer bound;
  *o = EXPLORE_DEFAULTS;
  if (lua_isnoneornil(L, index)) return;
  luaL_checktype(L, index, LUA_TTABLE);
  args_option_names(L, index, known);
  o->way = read_way(L, index);
  check_together(L, index, o->way);
  read_budget(L, index, o);
  bound = positive(L, index, "preemptions", 0, o->preemptions);
  o->preemptions = bound < PREEMPTIONS_MOST ? (int)bound : PREEMPTIONS_MOST;
  read_early_ticks(L, index, o);
  if (lua_getfield(L, index, "outputs") != LUA_TNIL) {
    luaL_argcheck(L, lua_isboolean(L, -1), index, "field 'outputs' must be a boolean");
    o->outputs = lua_toboolean(L, -1);
  }
  lua_pop(L, 1);
  if (o->outputs && o->way == WAY_DEFAULT) o->way = WAY_DPOR;
  if (lua_getfield(L, index, "snapshots") != LUA_TNIL) {
    luaL_argcheck(L, lua_isboolean(L, -1), index, "field 'snapshots' must be a boolean");
    o->anew = !lua_toboolean(L, -1);
  }
  lua_pop(L, 1);
  if (lua_getfield(L, index, "seed") != LUA_TNIL) {
    luaL_argcheck(L, lua_isinteger(L, -1), index, "field 'seed' must be an integer");
    o->seed = (uint64_t)lua_tointeger(L, -1);
  }
  lua_pop(L, 1);
}

/* Sets a field of the table on top. */
static void set_integer (lua_State *L, const char *field, lua_Integer n) {
  lua_pushinteger(L, n);
  lua_setfield(L, -2, field);
}
static void set_boolean (lua_State *L, const char *field, bool b) {
  lua_pushboolean(L, b);
  lua_setfield(L, -2, field);
}

void exploration_push_ways (lua_State *L, Ways n) {
  if (n <= (Ways)LUA_MAXINTEGER) lua_pushinteger(L, (lua_Integer)n);
  else lua_pushnumber(L, (lua_Number)n);
}

/* All digits, where a float would not have them. */
static void set_digits (lua_State *L, const char *field, Ways n) {
  char text[40], *p = text + sizeof text;
  if (n <= (Ways)LUA_MAXINTEGER) return;
  for (; n > 0; n /= 10) *--p = (char)('0' + (int)(n % 10));
  lua_pushlstring(L, p, (size_t)(text + sizeof text - p));
  lua_setfield(L, -2, field);
}

static void set_ways (lua_State *L, const char *field, Ways n) {
  exploration_push_ways(L, n);
  lua_setfield(L, -2, field);
}

static void set_number (lua_State *L, const char *field, lua_Number n) {
  lua_pushnumber(L, n);
  lua_setfield(L, -2, field);
}

/* Pushes the result's table; the groups are its failures. */
static void push_result (lua_State *L, Exploration *x) {
  lua_Integer blocked = x->dpor != NULL ? dpor_blocked(x->dpor) : 0;
  lua_createtable(L, 0, 20);
  set_boolean(L, "ok", lua_rawlen(L, EXPLORATION_GROUPS) == 0);
  set_boolean(L, "complete", x->complete);
  set_ways(L, "executions", x->executions);
  set_ways(L, "failing", x->failing);
  if (x->unbounded) set_number(L, "interleavings", (lua_Number)INFINITY);
  else set_ways(L, "interleavings", x->interleavings);
  if (!x->rounded) {
    set_digits(L, "all_executions", x->executions);
    set_digits(L, "all_interleavings", x->interleavings);
  }
  set_boolean(L, "exact", x->exact);
  set_boolean(L, "cut", x->cut);
  set_boolean(L, "interrupted", atomic_load(&x->interrupted));
  set_boolean(L, "unbounded", x->unbounded);
  set_boolean(L, "stands", x->stands);
  set_boolean(L, "closed", !x->open);
  set_boolean(L, "early_ticks", x->options.early_ticks);
  set_integer(L, "runs", x->runs + x->burst + x->ends + blocked);
  if (x->options.way == WAY_BOUNDED) set_integer(L, "preemptions", x->options.preemptions);
  if (x->states > 0) set_integer(L, "states", (lua_Integer)x->states);
  if (x->seen.noted > 0 && x->options.way >= WAY_RANDOM)
    set_number(L, "fresh", seen_fresh(&x->seen));
  if (x->samples > 0) set_number(L, "estimate", x->weights / x->samples);
  if (x->chance >= 0) set_number(L, "chance", x->chance);
  lua_createtable(L, 0, 2);
  set_integer(L, "executions", x->options.executions);
  set_number(L, "seconds", (lua_Number)x->options.seconds / NANOS);
  lua_setfield(L, -2, "budget");
  lua_pushstring(L, x->engine);
  lua_setfield(L, -2, "engine");
  set_number(L, "seconds", (lua_Number)(exploration_clock() - x->began) / NANOS);
  if (x->options.outputs) {
    lua_getfield(L, EXPLORATION_GROUPS, OUTCOME_OUTPUTS);
    lua_setfield(L, -2, "outcomes");
  }
  lua_pushvalue(L, EXPLORATION_GROUPS);
  lua_setfield(L, -2, "failures");
}

/* Pushes what frees the exploration. [0, +1, memory] */
static Exploration *push_exploration (lua_State *L) {
  Exploration **box = lua_newuserdatauv(L, sizeof *box, 0), *x;
  *box = NULL;
  lua_createtable(L, 0, 3);
  lua_pushcfunction(L, exploration_free);
  lua_setfield(L, -2, "__gc");
  lua_pushcfunction(L, exploration_free);
  lua_setfield(L, -2, "__close");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_setmetatable(L, -2);
  x = *box = calloc(1, sizeof *x);
  if (x == NULL) luaL_error(L, "not enough memory");
  x->exact = true;
  x->chance = -1;
  x->began = exploration_clock();
  return x;
}

/*
** Adds to the group on top, if it is how executions end, how likely a random schedule fails
** behind each of its steps (chances), and behind how many all do (no_return).
*/
static void foresee (lua_State *L, const Prospect *p) {
  int group = lua_gettop(L), no_return;
  size_t length;
  const char *path;
  double *chances;
  if (lua_getfield(L, group, "found") == LUA_TNIL && lua_getfield(L, group, "path") != LUA_TNIL) {
    path = lua_tolstring(L, -1, &length);
    chances = lua_newuserdatauv(L, (length + 1) * sizeof *chances, 0);
    no_return = prospect_follow(p, path, (int)length, chances);
    lua_createtable(L, (int)length, 0);
    for (size_t i = 0; no_return != PROSPECT_STRANGE && i < length; i++) {
      lua_pushnumber(L, chances[i]);
      lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_setfield(L, group, "chances");
    lua_pushinteger(L, no_return);
    if (no_return >= 0) lua_setfield(L, group, "no_return");
  }
  lua_settop(L, group);
}

/*
** Runs the search that *x asks for, which the value on top frees; pushes the result. The
** tables of outcomes are new.
*/
static int run (lua_State *L, Exploration *x) {
  WorldSubjectOptions world = {.sim = {.capture = true,
                                       .silent = true,
                                       .outputs = x->options.outputs,
                                       .hurry = &x->interrupted},
                               .snapshots = !x->options.anew,
                               .early_ticks = x->options.early_ticks,
                               .body = x->body,
                               .ud = x->ud,
                               .program = x->options.program,
                               .request = x->body == sim_request_run ? &x->request : NULL};
  const StateGraph *graph; /* where the groups are its outcomes */
  lua_Integer groups;
  long steps;
  exploration_begin(x);
  x->world = world_subject_new(&world);
  if (x->world == NULL)
    return luaL_error(L, "cannot make a simulated world (not enough memory, or too many alive)");
  exploration_search(L, x);
  outcome_add_findings(L, EXPLORATION_GROUPS, x->world);
  groups = (lua_Integer)lua_rawlen(L, EXPLORATION_GROUPS);
  steps = atomic_load(&x->interrupted) ? MINIMISE_FEW : MINIMISE_MOST;
  graph = x->prospect != NULL && x->by_graph ? x->graph : NULL;
  for (lua_Integer i = 1; i <= groups; i++) {
    Explored e = {x->world, x->body == sim_request_run ? &x->request : NULL, 0, NULL, NULL};
    lua_rawgeti(L, EXPLORATION_GROUPS, i);
    outcome_minimise(L, &e, graph, (int)i - 1, steps / (long)groups);
    if (x->prospect != NULL) foresee(L, x->prospect);
    outcome_describe(L, x->world);
    lua_pop(L, 1);
  }
  push_result(L, x);
  return 1;
}

/* Processor time for a search with early ticks; 0: there is nothing to find, or no time. */
static Nanos time_for_early (lua_State *L, const Exploration *x) {
  Nanos all = x->options.seconds, left = all - (exploration_clock() - x->began);
  if (x->options.way != WAY_DEFAULT || x->options.one_search || x->options.outputs) return 0;
  if (lua_rawlen(L, EXPLORATION_GROUPS) > 0 || !world_subject_saw_time(x->world)) return 0;
  if (atomic_load(&x->interrupted) || left <= 0) return 0;
  if (x->stands) return left;
  if (!x->complete) return 0;
  return left < all / EARLY_PART ? left : all / EARLY_PART;
}

/*
** Searches once more, with early ticks, where that may come to something else. The result on
** top gets the field `early`, a result too. What frees the exploration is at `box`.
*/
static void run_early (lua_State *L, int box) {
  Exploration *x = *(Exploration **)lua_touserdata(L, box), *early;
  Nanos seconds = time_for_early(L, x);
  int result = lua_gettop(L);
  if (seconds == 0) return;
  for (int i = EXPLORATION_GROUPS; i <= EXPLORATION_GRAPH_GROUPS; i++) {
    lua_newtable(L);
    lua_replace(L, i);
  }
  early = push_exploration(L);
  early->options = x->options;
  early->options.early_ticks = true;
  early->options.seconds = seconds;
  early->body = x->body;
  early->request = (SimRequest){.home = x->request.home, .caller = L, .work = x->request.work};
  early->ud = x->body == sim_request_run ? &early->request : x->ud;
  x->request.work = NULL;
  lua_closeslot(L, box);
  lua_replace(L, box);
  lua_toclose(L, box);
  run(L, early);
  lua_setfield(L, result, "early");
}

int explore_body (lua_State *L, const ExploreOptions *options, int (*body)(lua_State *L, void *ud),
                  void *ud) {
  Exploration *x;
  lua_settop(L, 0);
  lua_newtable(L);
  lua_newtable(L);
  x = push_exploration(L);
  lua_toclose(L, 3);
  x->options = *options;
  x->body = body;
  x->ud = ud;
  run(L, x);
  run_early(L, 3);
  return 1;
}

/* Leaves the failures as a list, with messages as a test would print them. (result) -> result */
static void finish (lua_State *L) {
  lua_module_push(L, "luasync.explore", "finish");
  lua_insert(L, -2);
  lua_call(L, 1, 1);
}

/*
** Leaves the file that the option 'trace' names, or nil, in place of the options.
** Raises what will keep it from being written.
*/
static void read_file (lua_State *L) {
  char *problem;
  if (lua_isnoneornil(L, 2) || lua_getfield(L, 2, "trace") == LUA_TNIL) {
    lua_settop(L, 1);
    lua_pushnil(L);
    return;
  }
  luaL_argcheck(L, lua_type(L, -1) == LUA_TSTRING, 2, "field 'trace' must be a string");
  lua_replace(L, 2);
  lua_module_push(L, "luasync.trace.explored", "problem");
  lua_pushvalue(L, 2);
  lua_call(L, 1, 1);
  if (!lua_isnil(L, -1)) luaL_error(L, "%s", lua_tostring(L, -1));
  lua_settop(L, 2);
  problem = recorder_problem(lua_tostring(L, 2));
  if (problem == NULL) return;
  recorder_push_problem(L, problem);
  luaL_error(L, "%s", lua_tostring(L, -1));
}

/* Draws the result on top, of fn at 3, into the file at 4, which may be nil. */
static void draw (lua_State *L) {
  if (lua_isnil(L, 4)) return;
  lua_module_push(L, "luasync.trace.explored", "write_function");
  lua_pushvalue(L, 3);
  lua_pushvalue(L, -3);
  lua_pushvalue(L, 4);
  lua_call(L, 3, 0);
}

int explore (lua_State *L) {
  ExploreOptions options;
  Exploration *x;
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_settop(L, 2);
  read_options(L, 2, &options);
  lua_settop(L, 2);
  read_file(L);
  lua_pushcfunction(L, sim_sometimes); /* what earlier runs have named is none of this one's */
  lua_call(L, 0, 0);
  lua_newtable(L);
  lua_newtable(L);
  lua_rotate(L, 1, 2); /* groups groups fn file */
  x = push_exploration(L);
  lua_toclose(L, 5);
  x->options = options;
  x->body = sim_request_run;
  x->ud = &x->request;
  x->request = (SimRequest){.home = thread_self->object.world, .caller = L};
  x->request.work = message_encode(L, 3, 1, ROOT_CALL, NULL);
  run(L, x);
  run_early(L, 5);
  finish(L);
  draw(L);
  return 1;
}
