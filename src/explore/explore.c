/*
** explore.c - sync.explore(fn [, opts]): runs fn under every interleaving.
**
** The search moves a world step by step; at each end of an execution its outcome is
** looked at here. What is alike goes into one group, by kind and message. All text
** but the messages themselves is made in Lua, from a second run of a group's schedule
** (lua/luasync/explore.lua).
*/
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "explore/dpor.h"
#include "explore/explore.h"
#include "explore/outcome.h"
#include "explore/strategies.h"
#include "explore/world_subject.h"
#include "observe/recorder.h"
#include "world/args.h"

#define DEPTH 10000          /* steps of an execution at most */
#define TREE_STEPS 4000000   /* 16 MB of sequences; see dpor.h */
#define TABLE_STATES 1000000 /* for counting interleavings, */
#define TRACE_STATES 300     /* and so many for each execution */
#define GROUPS 1             /* the stack index of the table of outcomes */

static const char *const ways[] = {"default", "dpor", "dfs", "random", "pct", "pos", "urw", NULL};

/* A userdata points to it, so that an error on the way frees it. */
typedef struct Exploration {
  ExploreOptions options;
  int (*body)(lua_State *L, void *ud); /* of the main thread */
  void *ud;
  SimRequest request; /* for sync.explore */
  WorldSubject *world;
  Dpor *dpor;
  lua_Integer executions, failing;
  unsigned __int128 interleavings;
  size_t states; /* spent on counting them */
  bool exact, cut, complete;
  Nanos began;
} Exploration;

static Nanos clock_now (void) {
  struct timespec ts;
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return (Nanos)ts.tv_sec * NANOS + ts.tv_nsec;
}

/*
** The search.
*/

static bool is_out_of_budget (Exploration *x) {
  return x->executions >= x->options.executions
         || (x->options.seconds != FOREVER && clock_now() - x->began >= x->options.seconds);
}

static void broken (lua_State *L, Exploration *x) {
  const char *problem = x->world != NULL ? world_subject_problem(x->world) : NULL;
  luaL_error(L, "%s", problem != NULL ? problem : "not enough memory");
}

static int thread_at (void *ud, int i) { return history_event(ud, i)->thread; }

static Explored explored (Exploration *x) {
  History *h = dpor_history(x->dpor);
  return (Explored){x->world, x->body == sim_request_run ? &x->request : NULL, history_length(h),
                    thread_at, h};
}

/* Adds those of the trace in the history, as long as that is cheap beside running it. */
static void count_interleavings (Exploration *x) {
  size_t most = (size_t)(TABLE_STATES + TRACE_STATES * x->executions), states = most - x->states;
  x->interleavings +=
      x->exact ? history_interleavings(dpor_history(x->dpor), &states, &x->exact) : 1;
  x->states += states;
}

static void search (lua_State *L, Exploration *x, bool reduce) {
  Subject subject = world_subject_calls(x->world);
  DporOptions options = {.reduce = reduce, .tree_steps = TREE_STEPS, .depth = DEPTH};
  DporEnd end = DPOR_LEAF;
  Explored e;
  x->dpor = dpor_new(&subject, &options);
  if (x->dpor == NULL) broken(L, x);
  while (!is_out_of_budget(x) && (end = dpor_next(x->dpor)) == DPOR_LEAF) {
    x->executions++;
    e = explored(x);
    if (!dpor_was_cut(x->dpor)) x->failing += outcome_note(L, GROUPS, &e);
    else {
      x->cut = true;
      outcome_watch(&e);
    }
    if (reduce) count_interleavings(x);
    else x->interleavings++;
  }
  if (end == DPOR_BROKEN) broken(L, x);
  if (end == DPOR_STRAYED) {
    e = explored(x);
    outcome_note_straying(L, GROUPS, &e, dpor_depth(x->dpor) + 1);
    x->failing++;
  }
  x->complete = end == DPOR_COMPLETE && !x->cut;
}

static int drawn_at (void *ud, int i) { return ((Drawing *)ud)->path[i]; }

static void search_randomly (lua_State *L, Exploration *x, Strategy strategy) {
  Subject subject = world_subject_calls(x->world);
  Drawing drawing = {.seed = x->options.seed};
  Explored e = {x->world, x->body == sim_request_run ? &x->request : NULL, 0, drawn_at, &drawing};
  while (!is_out_of_budget(x)) {
    DrawEnd end = strategy_run(&subject, strategy, &drawing);
    if (end == DRAW_BROKEN) broken(L, x);
    x->executions++;
    e.length = drawing.steps;
    if (end != DRAW_CUT) x->failing += outcome_note(L, GROUPS, &e);
    else {
      x->cut = true;
      outcome_watch(&e);
    }
  }
}

/*
** The Lua side.
*/

static int exploration_free (lua_State *L) {
  Exploration **box = lua_touserdata(L, 1), *x = *box;
  *box = NULL;
  if (x == NULL) return 0;
  dpor_free(x->dpor);
  world_subject_free(x->world);
  message_free(x->request.work);
  message_free(x->request.outcome);
  free(x);
  return 0;
}

static lua_Integer positive (lua_State *L, int index, const char *field, lua_Integer otherwise) {
  lua_Integer n = otherwise;
  if (lua_getfield(L, index, field) != LUA_TNIL) {
    luaL_argcheck(L, lua_isinteger(L, -1) && lua_tointeger(L, -1) > 0, index,
                  lua_pushfstring(L, "field '%s' must be a positive integer", field));
    n = lua_tointeger(L, -1);
  }
  lua_pop(L, 1);
  return n;
}

static void read_options (lua_State *L, int index, ExploreOptions *o) {
  static const char *const known[] = {"executions", "seconds", "strategy", "seed", "trace", NULL};
  lua_Number seconds;
  *o = EXPLORE_DEFAULTS;
  if (lua_isnoneornil(L, index)) return;
  luaL_checktype(L, index, LUA_TTABLE);
  args_option_names(L, index, known);
  if (lua_getfield(L, index, "seconds") != LUA_TNIL) {
    luaL_argcheck(L, lua_type(L, -1) == LUA_TNUMBER && lua_tonumber(L, -1) > 0, index,
                  "field 'seconds' must be a positive number");
    seconds = lua_tonumber(L, -1);
    o->seconds = seconds > 1e9 ? FOREVER : (Nanos)(seconds * NANOS);
    o->executions = LUA_MAXINTEGER;
  }
  if (lua_getfield(L, index, "executions") != LUA_TNIL && o->executions != LUA_MAXINTEGER)
    o->seconds = FOREVER;
  o->executions = positive(L, index, "executions", o->executions);
  if (lua_getfield(L, index, "strategy") != LUA_TNIL) {
    luaL_argcheck(L, lua_type(L, -1) == LUA_TSTRING, index, "field 'strategy' must be a string");
    o->way = 1;
    while (ways[o->way] != NULL && strcmp(ways[o->way], lua_tostring(L, -1)) != 0) o->way++;
    luaL_argcheck(
        L, ways[o->way] != NULL, index,
        lua_pushfstring(L, "field 'strategy': unknown strategy '%s'", lua_tostring(L, -1)));
  }
  if (lua_getfield(L, index, "seed") != LUA_TNIL) {
    luaL_argcheck(L, lua_isinteger(L, -1), index, "field 'seed' must be an integer");
    o->seed = (uint64_t)lua_tointeger(L, -1);
  }
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

/* Pushes the result's table; the groups are its failures. */
static void push_result (lua_State *L, Exploration *x) {
  lua_createtable(L, 0, 16);
  set_boolean(L, "ok", lua_rawlen(L, GROUPS) == 0);
  set_boolean(L, "complete", x->complete);
  set_integer(L, "executions", x->executions);
  set_integer(L, "failing", x->failing);
  if (x->interleavings <= (unsigned __int128)LUA_MAXINTEGER)
    set_integer(L, "interleavings", (lua_Integer)x->interleavings);
  else {
    lua_pushnumber(L, (lua_Number)x->interleavings);
    lua_setfield(L, -2, "interleavings");
  }
  set_boolean(L, "exact", x->exact);
  set_boolean(L, "cut", x->cut);
  set_integer(L, "runs", x->executions + (x->dpor != NULL ? dpor_blocked(x->dpor) : 0));
  lua_pushstring(L, x->options.way == WAY_DEFAULT ? "dpor" : ways[x->options.way]);
  lua_setfield(L, -2, "engine");
  lua_pushnumber(L, (lua_Number)(clock_now() - x->began) / NANOS);
  lua_setfield(L, -2, "seconds");
  lua_pushvalue(L, GROUPS);
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
  x->began = clock_now();
  return x;
}

/*
** Runs the search that *x asks for, which the value on top frees; pushes the result.
** GROUPS is a new table.
*/
static int run (lua_State *L, Exploration *x) {
  WorldSubjectOptions world = {.sim = {.capture = true, .silent = true},
                               .snapshots = true,
                               .body = x->body,
                               .ud = x->ud,
                               .request = x->body == sim_request_run ? &x->request : NULL};
  x->world = world_subject_new(&world);
  if (x->world == NULL)
    return luaL_error(L, "cannot make a simulated world (not enough memory, or too many alive)");
  if (x->options.way >= WAY_RANDOM) search_randomly(L, x, (Strategy)(x->options.way - WAY_RANDOM));
  else search(L, x, x->options.way != WAY_DFS);
  outcome_add_findings(L, GROUPS, x->world);
  for (lua_Integer i = 1; i <= (lua_Integer)lua_rawlen(L, GROUPS); i++) {
    Explored e = {x->world, x->body == sim_request_run ? &x->request : NULL, 0, NULL, NULL};
    lua_rawgeti(L, GROUPS, i);
    outcome_minimise(L, &e);
    outcome_describe(L, x->world);
    lua_pop(L, 1);
  }
  push_result(L, x);
  return 1;
}

int explore_body (lua_State *L, const ExploreOptions *options, int (*body)(lua_State *L, void *ud),
                  void *ud) {
  Exploration *x;
  lua_settop(L, 0);
  lua_newtable(L);
  x = push_exploration(L);
  lua_toclose(L, 2);
  x->options = *options;
  x->body = body;
  x->ud = ud;
  return run(L, x);
}

/* Leaves the failures as a list, with messages as a test would print them. (result) -> result */
static void finish (lua_State *L) {
  lua_getglobal(L, "require");
  lua_pushliteral(L, "luasync.explore");
  lua_call(L, 1, 1);
  lua_getfield(L, -1, "finish");
  lua_replace(L, -2);
  lua_insert(L, -2);
  lua_call(L, 1, 1);
}

/* Pushes a function of luasync.trace.explored. [0, +1, raises] */
static void push_drawing (lua_State *L, const char *name) {
  lua_getglobal(L, "require");
  lua_pushliteral(L, "luasync.trace.explored");
  lua_call(L, 1, 1);
  lua_getfield(L, -1, name);
  lua_replace(L, -2);
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
  push_drawing(L, "problem");
  lua_pushvalue(L, 2);
  lua_call(L, 1, 1);
  if (!lua_isnil(L, -1)) luaL_error(L, "%s", lua_tostring(L, -1));
  lua_settop(L, 2);
  problem = recorder_problem(lua_tostring(L, 2));
  if (problem == NULL) return;
  lua_pushstring(L, problem);
  free(problem);
  luaL_error(L, "%s", lua_tostring(L, -1));
}

/* Draws the result on top, of fn at 2, into the file at 3, which may be nil. */
static void draw (lua_State *L) {
  if (lua_isnil(L, 3)) return;
  push_drawing(L, "write_function");
  lua_pushvalue(L, 2);
  lua_pushvalue(L, -3);
  lua_pushvalue(L, 3);
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
  lua_insert(L, 1); /* groups fn file */
  x = push_exploration(L);
  lua_toclose(L, 4);
  x->options = options;
  x->body = sim_request_run;
  x->ud = &x->request;
  x->request = (SimRequest){.home = thread_self->object.world, .caller = L};
  x->request.work = message_encode(L, 2, 1, ROOT_CALL, NULL);
  run(L, x);
  finish(L);
  draw(L);
  return 1;
}
