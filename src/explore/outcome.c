/*
** outcome.c - how executions end, and which ends are alike (see outcome.h).
*/
#include <stdlib.h>
#include <string.h>

#include "explore/fewest.h"
#include "explore/minimise.h"
#include "explore/outcome.h"
#include "observe/deadlock.h"
#include "thread/name.h"

#define LONG 5000 /* steps of an execution, of which only what matters is shown */

/* What the thread waits in, or stands in front of, and *object; OP_COUNT: nothing. */
static OpKind waiting_in (Sim *sim, int serial, Object **object) {
  Thread *t = serial >= 0 ? sim_thread_of(sim, serial) : NULL;
  const Op *op = t != NULL ? sim_pending(sim, serial) : NULL;
  Nanos deadline;
  *object = op != NULL ? op->object : t != NULL ? t->blocked.object : NULL;
  if (op != NULL) return op->kind;
  return t != NULL && sim_is_parked(sim, serial, &deadline) ? t->blocked.kind : OP_COUNT;
}

static void add_waiting (luaL_Buffer *b, lua_State *L, Thread *t, OpKind kind, Object *o) {
  char name[64], object[64];
  thread_copy_name(t, name);
  lua_pushfstring(L, "%s%s waits in %s", luaL_bufflen(b) > 0 ? "; " : "", name, op_info[kind].word);
  luaL_addvalue(b);
  if (o == NULL) return;
  lua_pushfstring(L, " of %s '%s'", o->kind->name, object_name(o, object));
  luaL_addvalue(b);
}

/* Pushes which threads wait for what; all stand. */
static void push_waiting (lua_State *L, WorldSubject *w) {
  Sim *sim = world_subject_sim(w);
  luaL_Buffer b;
  luaL_buffinit(L, &b);
  for (int i = 0; i < sim_thread_count(sim); i++) {
    Object *o;
    OpKind kind = waiting_in(sim, i, &o);
    if (kind != OP_COUNT) add_waiting(&b, L, sim_thread_of(sim, i), kind, o);
  }
  luaL_pushresult(&b);
}

/* The same by numbers: names that nobody has given say in what order things were made. */
static void push_waiting_numbers (lua_State *L, WorldSubject *w) {
  Sim *sim = world_subject_sim(w);
  luaL_Buffer b;
  luaL_buffinit(L, &b);
  for (int i = 0; i < HISTORY_THREADS; i++) {
    Object *o;
    OpKind kind = waiting_in(sim, world_subject_serial(w, i), &o);
    if (kind == OP_COUNT) continue;
    if (i == 0 && atomic_load(&sim_world(sim)->main->life) == LIFE_ENDED) o = NULL; /* for all */
    lua_pushfstring(L, "%d waits in %s of %d; ", i, op_info[kind].word,
                    o != NULL ? (int)world_subject_object(w, o) : -1);
    luaL_addvalue(&b);
  }
  luaL_pushresult(&b);
}

/* Pushes the error of fn. */
static void push_error (lua_State *L, Message *outcome) {
  int top = lua_gettop(L);
  if (outcome == NULL || message_decode(L, outcome) == 0) lua_pushnil(L);
  lua_settop(L, top + 1);
  luaL_tolstring(L, -1, NULL);
  lua_remove(L, -2);
}

/* What was printed of an error, without the thread's name and the traceback; *length of it. */
static const char *error_of (const KeptError *e, size_t *length) {
  const char *line = strchr(e->text, '\n'), *stop;
  if (line == NULL) line = e->text + strlen(e->text);
  stop = strstr(line, "\nstack traceback:");
  if (stop == NULL) stop = line + strlen(line);
  while (stop > line && stop[-1] == '\n') stop--;
  *length = (size_t)(stop - line);
  return line;
}

/*
** Pushes the error of a thread that nobody has taken, as it was printed but without its traceback,
** and the same without the thread's name. Of several it is the first by the alphabet: which was
** printed first is no matter.
*/
static void push_thread_error (lua_State *L, WorldSubject *w) {
  const KeptError *found = sim_world(world_subject_sim(w))->errors;
  const char *text;
  size_t length;
  if (found == NULL) { /* a hook of the script's has seen to it */
    lua_pushliteral(L, "error in a thread");
    return;
  }
  text = error_of(found, &length);
  for (const KeptError *e = found->next; e != NULL; e = e->next) {
    size_t other_length;
    const char *other = error_of(e, &other_length);
    int order = memcmp(other, text, other_length < length ? other_length : length);
    if (order > 0 || (order == 0 && other_length >= length)) continue;
    found = e;
    text = other;
    length = other_length;
  }
  lua_pushlstring(L, found->text, (size_t)(text - found->text) + length);
  lua_pushlstring(L, text, length);
}

/* Where the last line of the text begins that stands behind the program's name; NULL: there is none. */
static const char *find_behind (const char *program, const char *text, const char *end) {
  size_t length = strlen(program);
  for (const char *at = end - 1; at >= text; at--)
    if ((at == text || at[-1] == '\n') && (size_t)(end - at) > length + 2
        && memcmp(at, program, length) == 0 && memcmp(at + length, ": ", 2) == 0)
      return at + length + 2;
  return NULL;
}

/*
** Pushes the message that the script's failure has left: what was printed before its traceback,
** behind the program's name, or else the last line of that.
*/
static void push_script_error (lua_State *L, WorldSubject *w) {
  static const char tail[] = "\nstack traceback:";
  const SimReport *r = world_subject_report(w);
  const char *text = r->output != NULL ? r->output : "", *end = text + r->output_length, *stop;
  const char *program = world_subject_program(w), *at;
  stop = memmem(text, (size_t)(end - text), tail, sizeof tail - 1);
  if (stop == NULL) stop = end;
  while (stop > text && stop[-1] == '\n') stop--;
  at = program != NULL ? find_behind(program, text, stop) : NULL;
  if (at == NULL)
    for (at = stop; at > text && at[-1] != '\n';) at--;
  lua_pushlstring(L, at, (size_t)(stop - at));
}

/* Whether a thread waits in vain for what a condition or an event said before anybody waited. */
static bool is_lost_wakeup (WorldSubject *w) {
  SourceLine line;
  Sim *sim = world_subject_sim(w);
  for (int i = 0; i < sim_thread_count(sim); i++) {
    const Thread *t = sim_thread_of(sim, i);
    const Op *op = t != NULL ? sim_pending(sim, i) : NULL;
    Nanos deadline;
    Object *o = op != NULL                                      ? op->object
                : t != NULL && sim_is_parked(sim, i, &deadline) ? t->blocked.object
                                                                : NULL;
    if (o != NULL && o->kind->lost_wakeup != NULL && o->kind->lost_wakeup(o, &line)) return true;
  }
  return false;
}

/*
** Pushes kind and message of the outcome, and where two with other messages are one what they have
** in common; or nothing: the execution has ended well.
*/
static bool push_end (lua_State *L, const Explored *x) {
  const SimReport *r = world_subject_report(x->world);
  if (!sim_is_over(world_subject_sim(x->world))) {
    lua_pushstring(L, is_lost_wakeup(x->world) ? "lost wake-up" : "deadlock");
    push_waiting(L, x->world);
    push_waiting_numbers(L, x->world);
    return true;
  }
  if (r->verdict == SIM_EXIT && r->status != 0) {
    lua_pushliteral(L, "error");
    lua_pushfstring(L, "os.exit(%d)", r->status);
    return true;
  }
  if (r->verdict != SIM_DONE && r->verdict != SIM_EXIT) {
    lua_pushstring(L, r->verdict == SIM_LIVELOCK ? "livelock" : "error");
    lua_pushstring(L, r->text != NULL ? r->text : "not enough memory");
    return true;
  }
  if (x->request != NULL && x->request->failed) {
    lua_pushliteral(L, "error");
    push_error(L, x->request->outcome);
    return true;
  }
  if (x->request == NULL && r->status != 0) {
    lua_pushliteral(L, "error");
    push_script_error(L, x->world);
    return true;
  }
  if (atomic_load(&sim_world(world_subject_sim(x->world))->errors_untaken) == 0) return false;
  lua_pushliteral(L, "error");
  push_thread_error(L, x->world);
  return true;
}

/* Pushes kind and message of the outcome and what tells it from others, or nothing: it has ended well. */
static bool push_outcome (lua_State *L, const Explored *x) {
  int top = lua_gettop(L);
  if (!push_end(L, x)) return false;
  if (lua_gettop(L) == top + 2) lua_pushvalue(L, -1);
  return true;
}

/* The number of turns that did not end by themselves: the fewer, the simpler the schedule. */
static lua_Integer interruptions (const Schedule *s) {
  lua_Integer n = 0;
  for (size_t i = 0; i < s->count; i++) n += s->turns[i].preempted;
  return n;
}

void outcome_set_schedule (lua_State *L, int group, WorldSubject *w, size_t round) {
  const SimReport *r = world_subject_report(w);
  bool early = world_subject_is_early(w);
  Schedule joined = {0};
  char *text;
  bool whole = true;
  for (size_t i = 0; i < r->schedule.count && whole; i++)
    whole = (i != round || schedule_add(&joined, (Turn){.mark = '('}))
            && schedule_add(&joined, r->schedule.turns[i]);
  if (whole && round < r->schedule.count) whole = schedule_add(&joined, (Turn){.mark = ')'});
  schedule_join(&joined, early);
  text = whole ? schedule_text(&joined) : NULL;
  schedule_clear(&joined);
  if (text == NULL) luaL_error(L, "not enough memory"); /* a failure without one is of no use */
  lua_pushstring(L, text);
  free(text);
  lua_setfield(L, group, "schedule");
  lua_pushinteger(L, interruptions(&r->schedule));
  lua_setfield(L, group, "interruptions");
  lua_pushinteger(L, r->steps);
  lua_setfield(L, group, "steps");
}

/*
** Pushes the group of the outcome on top, which goes; a new one where there is none. [-3, +1]
*/
static void push_group (lua_State *L, int groups) {
  int kind = lua_gettop(L) - 2; /* kind message alike */
  lua_pushfstring(L, "%s: %s", lua_tostring(L, kind), lua_tostring(L, kind + 2));
  lua_replace(L, kind + 2);
  lua_pushvalue(L, kind + 2);
  if (lua_rawget(L, groups) == LUA_TTABLE) {
    lua_replace(L, kind);
    lua_settop(L, kind);
    return;
  }
  lua_pop(L, 1);
  lua_createtable(L, 0, 8); /* kind message key group */
  lua_pushvalue(L, kind);
  lua_setfield(L, -2, "kind");
  lua_pushvalue(L, kind + 1);
  lua_setfield(L, -2, "message");
  lua_pushvalue(L, kind + 2);
  lua_setfield(L, -2, "alike");
  lua_pushinteger(L, 0);
  lua_setfield(L, -2, "executions");
  lua_pushinteger(L, (lua_Integer)lua_rawlen(L, groups) + 1);
  lua_setfield(L, -2, "number");
  lua_pushvalue(L, -1);
  lua_rawseti(L, groups, (lua_Integer)lua_rawlen(L, groups) + 1);
  lua_pushvalue(L, -1);
  lua_insert(L, kind); /* group kind message key group */
  lua_rawset(L, groups);
  lua_settop(L, kind);
}

/* The threads of the steps that lead to where the search stands, a byte each. [0, +1, memory] */
static void push_path (lua_State *L, const Explored *x) {
  luaL_Buffer b;
  luaL_buffinit(L, &b);
  for (int i = 0; i < x->length; i++) luaL_addchar(&b, (char)x->thread_at(x->ud, i));
  luaL_pushresult(&b);
}

static lua_Integer integer_field (lua_State *L, const char *field) {
  lua_Integer n;
  lua_getfield(L, -1, field);
  n = lua_tointeger(L, -1);
  lua_pop(L, 1);
  return n;
}

/*
** Counts one more execution for the group on top, and keeps its schedule if it is the
** simplest so far.
*/
static void count_in_group (lua_State *L, const Explored *x) {
  const SimReport *r = world_subject_report(x->world);
  lua_Integer executions = integer_field(L, "executions"),
              fewest = integer_field(L, "interruptions");
  lua_Integer mine = interruptions(&r->schedule);
  if (executions == 0 || mine < fewest
      || (mine == fewest && r->steps < integer_field(L, "steps"))) {
    outcome_set_schedule(L, lua_gettop(L), x->world, NO_ROUND);
    push_path(L, x);
    lua_setfield(L, -2, "path");
  }
  lua_pushinteger(L, executions + 1);
  lua_setfield(L, -2, "executions");
}

void outcome_watch (const Explored *x, bool whole) {
  const SimReport *r = world_subject_report(x->world);
  findings_note(world_subject_findings(x->world), world_subject_watch(x->world), x->length,
                x->thread_at, x->ud, interruptions(&r->schedule), whole);
}

/* Pushes the finding as a group. [0, +1, memory] */
static void push_finding (lua_State *L, const Finding *f) {
  static const char *const kinds[] = {[FOUND_LOST_UPDATE] = "lost update",
                                      [FOUND_LOST_WAKEUP] = "lost wake-up",
                                      [FOUND_RACE] = "race",
                                      [FOUND_UNORDERED] = "race"};
  int last = 0;
  lua_createtable(L, 0, 10);
  lua_pushstring(L, kinds[f->found.kind]);
  lua_setfield(L, -2, "kind");
  lua_pushinteger(L, f->executions);
  lua_setfield(L, -2, "executions");
  lua_pushboolean(L, f->found.kind == FOUND_UNORDERED);
  lua_setfield(L, -2, "unordered");
  lua_createtable(L, 3, 0);
  for (int i = 0; i < 3 && f->found.steps[i] >= 0; i++) {
    last = f->found.steps[i] + 1;
    lua_pushinteger(L, last);
    lua_rawseti(L, -2, i + 1);
  }
  lua_setfield(L, -2, "found");
  lua_pushlstring(L, f->path, (size_t)(f->length < LONG ? f->length : last));
  lua_setfield(L, -2, "path");
}

void outcome_add_findings (lua_State *L, int groups, WorldSubject *w) {
  const Findings *f = world_subject_findings(w);
  for (int i = 0; i < findings_count(f); i++) {
    if (findings_at(f, i)->path == NULL) continue;
    push_finding(L, findings_at(f, i));
    lua_rawseti(L, groups, (lua_Integer)lua_rawlen(L, groups) + 1);
  }
}

int outcome_note (lua_State *L, int groups, const Explored *x) {
  int number;
  outcome_watch(x, true);
  if (!push_outcome(L, x)) return 0;
  push_group(L, groups);
  count_in_group(L, x);
  number = (int)integer_field(L, "number");
  lua_pop(L, 1);
  return number;
}

bool outcome_add_group (lua_State *L, int groups) {
  int group = lua_gettop(L);
  bool is_new;
  lua_getfield(L, group, "alike");
  is_new = lua_rawget(L, groups) == LUA_TNIL;
  if (is_new) {
    lua_pushinteger(L, 1);
    lua_setfield(L, group, "executions");
    lua_pushvalue(L, group);
    lua_rawseti(L, groups, (lua_Integer)lua_rawlen(L, groups) + 1);
  }
  lua_settop(L, group - 1);
  return is_new;
}

void outcome_note_straying (lua_State *L, int groups, const Explored *x, int step) {
  lua_pushliteral(L, "nondeterminism");
  lua_pushfstring(L, "step %d differs from the same step of an earlier run", step);
  lua_pushvalue(L, -1);
  push_group(L, groups);
  count_in_group(L, x);
  lua_pop(L, 1);
}

/*
** The simplest execution of a group.
*/

/* What an end is compared with. */
typedef struct Wanted {
  lua_State *L;
  const Explored *x;
  int group; /* the stack index of the group */
} Wanted;

static bool is_same (void *ud) {
  const Wanted *w = ud;
  lua_State *L = w->L;
  int top = lua_gettop(L);
  bool same = push_outcome(L, w->x);
  if (same) {
    lua_pushfstring(L, "%s: %s", lua_tostring(L, top + 1), lua_tostring(L, top + 3));
    lua_getfield(L, w->group, "alike");
    same = lua_rawequal(L, -1, -2);
  }
  lua_settop(L, top);
  return same;
}

bool outcome_fails (lua_State *L, const Explored *x) {
  int top = lua_gettop(L);
  bool fails = push_outcome(L, x);
  lua_settop(L, top);
  return fails;
}

static bool is_well (void *ud) {
  const Wanted *w = ud;
  return !outcome_fails(w->L, w->x);
}

static void set_cause (lua_State *L, const Cause *c) {
  lua_createtable(L, 0, 3);
  lua_pushinteger(L, c->first + 1);
  lua_setfield(L, -2, "first");
  lua_pushinteger(L, c->second >= 0 ? c->second + 1 : c->thread);
  lua_setfield(L, -2, c->second >= 0 ? "second" : "thread");
  lua_setfield(L, -2, "cause");
}

/*
** Whether the group on top stays as it was found: a livelock that repeats would take its time each
** time, and what differs from run to run is no end that could be found again.
*/
static bool is_final (lua_State *L) {
  bool final;
  lua_getfield(L, -1, "kind");
  final = strcmp(lua_tostring(L, -1), "livelock") == 0
          || strcmp(lua_tostring(L, -1), "nondeterminism") == 0;
  lua_pop(L, 1);
  final = lua_getfield(L, -1, "found") != LUA_TNIL || final;
  lua_pop(L, 1);
  return final;
}

void outcome_minimise (lua_State *L, const Explored *x, const StateGraph *graph, int number,
                       long steps) {
  Subject s = world_subject_calls(x->world);
  Wanted wanted = {L, x, lua_gettop(L)};
  Cause cause;
  size_t length;
  const char *old;
  Path path;
  if (is_final(L)) return;
  lua_getfield(L, wanted.group, "path");
  old = lua_tolstring(L, -1, &length);
  path = (Path){lua_newuserdatauv(L, length + MINIMISE_STEPS, 0), (int)length};
  memcpy(path.threads, old, length);
  lua_pushboolean(L, (graph != NULL && fewest_path(graph, number, &path))
                         || minimise_path(&s, world_subject_key, steps, &path, is_same, &wanted));
  lua_setfield(L, wanted.group, "fewest");
  minimise_switches(&s, &path);
  lua_pushlstring(L, (const char *)path.threads, (size_t)path.length);
  if (!lua_rawequal(L, -1, -3)) {
    lua_pushnil(L);
    lua_setfield(L, wanted.group, "schedule");
  }
  lua_setfield(L, wanted.group, "path");
  lua_pushvalue(L, wanted.group);
  if (minimise_cause(&s, &path, is_well, &wanted, &cause)) set_cause(L, &cause);
  lua_settop(L, wanted.group);
}
