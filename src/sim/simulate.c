/*
** simulate.c - sync.simulate(fn [, opts]): a simulated world from Lua.
**
** fn is copied into the new world as a thread's target would be; what it
** returns, or its error, is copied back. The report says how the run went.
*/
#include <stdlib.h>
#include <string.h>

#include "message/bundle.h"
#include "message/message.h"
#include "observe/recorder.h"
#include "world/args.h"
#include "sim/request.h"
#include "state/state.h"
#include "world/lua_module.h"

int sim_request_run (lua_State *L, void *ud) {
  SimRequest *r = ud;
  Thread *self = thread_self;
  state_inherit(r->caller, L);
  bundle_unpack(L, r->modules);
  self->work = message_copy(r->work, self->object.world);
  if (self->work == NULL) return r->failed = true;
  self->reports_to = r->home;
  r->failed = !thread_call_work(L, self);
  if (r->failed) record_error(L, -1);
  r->outcome = self->outcome;
  message_keep(r->outcome);
  lua_settop(L, 0);
  return r->failed;
}

/*
** Reads opts = { seed =, schedule =, trace = } at `index`; returns the schedule's text,
** which stays on the stack, or NULL.
*/
static const char *read_options (lua_State *L, int index, SimOptions *o) {
  static const char *const known[] = {"seed", "schedule", "trace", NULL};
  if (lua_isnoneornil(L, index)) return NULL;
  luaL_checktype(L, index, LUA_TTABLE);
  args_option_names(L, index, known);
  if (lua_getfield(L, index, "trace") != LUA_TNIL) {
    luaL_argcheck(L, lua_type(L, -1) == LUA_TSTRING, index, "field 'trace' must be a string");
    o->record = true;
  }
  if (lua_getfield(L, index, "seed") != LUA_TNIL) {
    luaL_argcheck(L, lua_isinteger(L, -1), index, "field 'seed' must be an integer");
    o->policy = &policy_seeded;
    o->seed = (uint64_t)lua_tointeger(L, -1);
  }
  if (lua_getfield(L, index, "schedule") == LUA_TNIL) return NULL;
  luaL_argcheck(L, lua_type(L, -1) == LUA_TSTRING, index, "field 'schedule' must be a string");
  luaL_argcheck(L, o->policy != &policy_seeded, index, "either 'seed' or 'schedule', not both");
  return lua_tostring(L, -1);
}

/*
** Encodes the function at 1 and prepares to repeat the schedule, if there is one; what
** is held where that fails is freed.
*/
static void prepare (lua_State *L, SimOptions *o, const char *text, Schedule *schedule,
                     SimRequest *r) {
  char problem[128];
  r->work = message_encode(L, 1, 1, ROOT_CALL, NULL); /* no object of any world may come along */
  r->modules = bundle_pack(L, NULL);
  if (text == NULL) return;
  o->policy = &policy_replay;
  o->schedule = schedule;
  if (schedule_parse(schedule, text, problem)) return;
  schedule_clear(schedule);
  message_free(r->work);
  message_free(r->modules);
  if (strcmp(problem, SCHEDULE_NO_MEMORY) == 0) args_no_memory(L);
  luaL_argerror(L, 2, lua_pushfstring(L, "field 'schedule': %s", problem));
}

/* Pushes what the outcome holds, in a table with n. */
static void push_results (lua_State *L, Message *outcome) {
  int first = lua_gettop(L) + 1, n;
  lua_newtable(L);
  n = outcome != NULL ? message_decode(L, outcome) : 0;
  for (int i = n; i >= 1; i--) lua_rawseti(L, first, i);
  lua_pushinteger(L, n);
  lua_setfield(L, first, "n");
}

/* What is kept while the report is turned into a table, which may fail. */
typedef struct Filling {
  SimReport *report;
  SimRequest *request;
  char *schedule;
} Filling;

/* Sets a field to what the run had to say; without memory for that it says so. */
static void set_text (lua_State *L, const char *field, const char *text) {
  if (text == NULL) text = "not enough memory to say more";
  lua_pushlstring(L, text, strlen(text)); /* lua_pushstring looks its address up in a cache */
  lua_setfield(L, 1, field);
}

/* The report's field `message`, by luasync.report. `first_error` may be NULL. [0, 0, raises] */
static void set_message (lua_State *L, const char *first_error) {
  bool ok;
  lua_getfield(L, 1, "ok");
  ok = lua_toboolean(L, -1);
  lua_settop(L, 1);
  if (ok) return;
  lua_module_push(L, "luasync.report", "simulation");
  lua_pushvalue(L, 1);
  lua_pushstring(L, first_error);
  lua_call(L, 2, 0);
  lua_settop(L, 1);
}

/* (filling) returns the report's table; in protected mode. */
static int fill (lua_State *L) {
  Filling *f = args_inner(L, 1);
  SimReport *r = f->report;
  lua_settop(L, 0);
  lua_createtable(L, 0, 10);
  lua_pushboolean(L, r->verdict == SIM_DONE && !f->request->failed && r->errors_untaken == 0);
  lua_setfield(L, 1, "ok");
  if (f->request->failed && f->request->outcome != NULL) {
    message_decode(L, f->request->outcome);
    lua_setfield(L, 1, "error");
  }
  else if (f->request->failed) set_text(L, "error", "not enough memory");
  else if (!f->request->failed && r->verdict == SIM_DONE) {
    push_results(L, f->request->outcome);
    lua_setfield(L, 1, "results");
  }
  if (r->verdict == SIM_DEADLOCK) set_text(L, "deadlock", r->text);
  else if (r->verdict == SIM_LIVELOCK) set_text(L, "livelock", r->text);
  else if (r->verdict == SIM_CANNOT_FOLLOW) set_text(L, "error", r->text);
  else if (r->verdict == SIM_BROKEN) set_text(L, "error", r->text);
  else if (r->verdict == SIM_NO_MEMORY) set_text(L, "error", "not enough memory");
  else if (r->verdict == SIM_DONE && r->text != NULL) set_text(L, "note", r->text);
  lua_pushinteger(L, r->steps);
  lua_setfield(L, 1, "steps");
  lua_pushnumber(L, (lua_Number)r->elapsed / NANOS);
  lua_setfield(L, 1, "virtual_time");
  lua_pushboolean(L, r->closed);
  lua_setfield(L, 1, "closed");
  lua_pushinteger(L, r->errors_untaken);
  lua_setfield(L, 1, "thread_errors");
  if (f->schedule == NULL) args_no_memory(L);
  set_text(L, "schedule", f->schedule);
  lua_pushlstring(L, r->output != NULL ? r->output : "", r->output_length);
  lua_setfield(L, 1, "output");
  set_message(L, r->first_error);
  return 1;
}

/*
** Writes the recording into the file that the field 'trace' names. NULL, or what kept
** it from that.
*/
static char *save (lua_State *L, const SimOptions *o, const SimReport *r, const char *schedule) {
  static const char *const verdicts[] = {
      [SIM_DONE] = "done",         [SIM_EXIT] = "exit",           [SIM_DEADLOCK] = "deadlock",
      [SIM_LIVELOCK] = "livelock", [SIM_CANNOT_FOLLOW] = "error", [SIM_NO_MEMORY] = "error",
      [SIM_BROKEN] = "error"};
  RunInfo info = {.world = o->policy == &policy_seeded   ? "seeded"
                           : o->policy == &policy_replay ? "replay"
                                                         : "virtual",
                  .title = "sync.simulate",
                  .schedule = schedule,
                  .verdict = verdicts[r->verdict],
                  .text = r->text,
                  .seeded = o->policy == &policy_seeded,
                  .seed = (lua_Integer)o->seed,
                  .code = -1};
  char *problem = NULL;
  if (r->verdict == SIM_DONE && (r->status != 0 || r->errors_untaken > 0)) info.verdict = "error";
  if (o->record && lua_getfield(L, 2, "trace") == LUA_TSTRING)
    problem = recorder_save(r->recorder, lua_tostring(L, -1), &info);
  lua_settop(L, 2);
  return problem;
}

int simulate (lua_State *L) {
  SimOptions options = {.policy = &policy_round_robin, .capture = true};
  Schedule schedule = {0};
  SimReport report;
  SimRequest request = {.home = thread_self->object.world, .caller = L};
  Filling filling = {&report, &request, NULL};
  int status, code;
  bool leaves;
  char *problem;
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_settop(L, 2);
  prepare(L, &options, read_options(L, 2, &options), &schedule, &request);
  if (!sim_run(&options, sim_request_run, &request, &report)) {
    message_free(request.work);
    message_free(request.modules);
    schedule_clear(&schedule);
    return luaL_error(L, "cannot make a simulated world (not enough memory, or too many alive)");
  }
  message_free(request.work);
  message_free(request.modules);
  filling.schedule = schedule_text(&report.schedule);
  problem = save(L, &options, &report, filling.schedule);
  lua_pushcfunction(L, fill);
  lua_pushlightuserdata(L, &filling);
  status = lua_pcall(L, 1, 1, 0);
  leaves = report.verdict == SIM_EXIT;
  code = report.status;
  free(filling.schedule);
  message_free(request.outcome);
  schedule_clear(&schedule);
  sim_report_free(&report);
  if (leaves)
    thread_self->object.world->driver->exit(code); /* os.exit ends the program, from any world */
  if (problem != NULL) {
    recorder_push_problem(L, problem);
    return luaL_error(L, "%s", lua_tostring(L, -1));
  }
  return status == LUA_OK ? 1 : lua_error(L);
}
