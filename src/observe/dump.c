/*
** dump.c - what every thread is doing.
**
** A thread that waits stands still as long as its mutex is held, for it must
** clear `blocked` under that mutex before it goes on: so others may read its
** Lua stack. A thread that runs is asked: its hook writes the traceback at its
** next instruction. A thread that waits for the system, as in io.read, says so
** (system.h) and stands still as well. One that does not answer within a moment
** is busy in C code.
**
** Facts are copied into plain C first, then turned into Lua tables, since no
** Lua call may happen while a mutex is held.
*/
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <lauxlib.h>

#include "observe/copies.h"
#include "observe/dump.h"
#include "thread/name.h"
#include "thread/system.h"
#include "state/state.h"
#include "world/args.h"
#include "world/lua_module.h"

#define PATIENCE 100 /* milliseconds a running thread has to answer */

#define AMONG_MOST 8 /* objects of a select that are shown */

typedef struct Facts {
  Thread *thread; /* a reference */
  char name[64];
  bool daemon, blocked;
  OpKind operation;
  Object *object;            /* a reference, or NULL */
  Object *among[AMONG_MOST]; /* references: the objects of a select */
  int among_count;           /* how many there are, of which the first are kept */
  Nanos since, until;
  SourceLine place;
  char *traceback; /* malloc'ed, or NULL */
  bool asked;      /* for its traceback, and how many answers it had given by then */
  unsigned answers;
} Facts;

/*
** Tracebacks without touching the stack that is read.
*/

static void describe_function (FILE *out, const lua_Debug *ar) {
  if (strcmp(ar->what, "main") == 0) fputs("in main chunk", out);
  else if (ar->name != NULL)
    fprintf(out, "in %s '%s'", *ar->namewhat != '\0' ? ar->namewhat : "function", ar->name);
  else if (*ar->what != 'C') fprintf(out, "in function <%s:%d>", ar->short_src, ar->linedefined);
  else fputs("in ?", out);
}

static void write_frames (FILE *out, lua_State *L) {
  lua_Debug ar;
  for (int level = 0; level < 50 && lua_getstack(L, level, &ar); level++) {
    lua_getinfo(L, "Slnt", &ar);
    if (ar.currentline > 0) fprintf(out, "\n\t%s:%d: ", ar.short_src, ar.currentline);
    else fprintf(out, "\n\t%s: ", ar.short_src);
    describe_function(out, &ar);
    if (ar.istailcall) fputs("\n\t(...tail calls...)", out);
  }
}

static const char no_memory[] = "stack traceback:\n\t(not enough memory)";

/*
** The frames of t, which runs or waits in the coroutine L, and those of the
** coroutines that have resumed L.
*/
static char *traceback_of (Thread *t, lua_State *L) {
  char *text = NULL;
  size_t length;
  FILE *out = open_memstream(&text, &length);
  if (out == NULL) return strdup(no_memory);
  fputs("stack traceback:", out);
  write_frames(out, L);
  for (Resumer *r = t->resumer; r != NULL; r = r->outer) {
    fputs("\n\t(...resumed by...)", out);
    write_frames(out, r->L);
  }
  if (fclose(out) != 0 || text == NULL) {
    free(text);
    return strdup(no_memory);
  }
  return text;
}

/* t's traceback, for all that have asked for it. */
static void answer (Thread *t, char *text) {
  char *old;
  pthread_mutex_lock(&t->mu);
  old = t->answer.traceback;
  t->answer.traceback = text;
  t->answer.count++;
  atomic_fetch_and(&t->alerts, ~ALERT_DUMP);
  pthread_mutex_unlock(&t->mu);
  free(old);
}

void dump_answer (lua_State *L, Thread *self) { answer(self, traceback_of(self, L)); }

/*
** Gathering.
*/

/* Takes the traceback of a thread that waits for the system; false: it does not. Under its mu. */
static bool read_in_system (Facts *f) {
  Thread *t = f->thread;
  lua_State *L = system_hold(t);
  if (L == NULL) return false;
  f->traceback = traceback_of(t, L);
  system_release(t);
  return true;
}

/* Copies what is known of t. If t runs, asks it for its traceback. */
static void look_at (Facts *f, Thread *t) {
  memset(f, 0, sizeof *f);
  f->thread = t;
  thread_copy_name(t, f->name);
  pthread_mutex_lock(&t->mu);
  f->daemon = t->daemon;
  f->blocked = t->blocked.active;
  if (t->blocked.active) {
    f->operation = t->blocked.kind;
    f->object = t->blocked.object;
    if (f->object != NULL) object_keep(f->object);
    f->among_count = t->among_count;
    for (int i = 0; i < t->among_count && i < AMONG_MOST; i++) {
      f->among[i] = t->among[i]->object;
      object_keep(f->among[i]);
    }
    f->since = t->blocked.since;
    f->until = t->blocked.until;
    f->place = t->blocked.place;
    f->traceback = traceback_of(t, t->blocked.in);
  }
  else if (!world_is_parallel(t->object.world)) { /* no thread runs meanwhile but the caller */
    lua_State *L = t == thread_self ? t->running : t->at;
    if (L != NULL) f->traceback = traceback_of(t, L);
  }
  else if (t != thread_self && t->L != NULL && !read_in_system(f)) {
    f->asked = true;
    f->answers = t->answer.count;
    atomic_fetch_or(&t->alerts, ALERT_DUMP);
    t->object.world->driver->poke(t);
  }
  pthread_mutex_unlock(&t->mu);
}

/*
** Whether there is an answer to copy, or none will come. Others may have asked as well.
** A thread that has begun to wait since it was asked will not answer for a long time.
*/
static bool has_answered (Facts *f) {
  Thread *t = f->thread;
  bool answered;
  pthread_mutex_lock(&t->mu);
  answered = t->answer.count != f->answers;
  if (answered && t->answer.traceback != NULL) f->traceback = strdup(t->answer.traceback);
  else if (t->L == NULL) answered = true; /* its end has come */
  else if (!answered && t->blocked.active) {
    f->traceback = traceback_of(t, t->blocked.in);
    atomic_fetch_and(&t->alerts, ~ALERT_DUMP);
    answered = true;
  }
  else if (!answered) answered = read_in_system(f);
  pthread_mutex_unlock(&t->mu);
  return answered;
}

/* Waits for the threads that were asked. */
static void collect_answers (Facts *list, int n) {
  struct timespec moment = {0, 1000000};
  int patience = PATIENCE;
  for (int i = 0; i < n; i++) {
    Facts *f = &list[i];
    while (f->asked && !has_answered(f) && patience-- > 0) nanosleep(&moment, NULL);
  }
}

/* Facts of all threads, *n of them; NULL: no memory. */
static Facts *gather (World *world, int *n) {
  Facts *list;
  *n = 0;
  pthread_mutex_lock(&world->mu);
  list = calloc((size_t)world->alive + 1, sizeof *list);
  for (Thread *t = list != NULL ? world->threads : NULL; t != NULL; t = t->next) {
    object_keep(&t->object);
    list[(*n)++].thread = t;
  }
  pthread_mutex_unlock(&world->mu);
  for (int i = 0; i < *n; i++) look_at(&list[i], list[i].thread);
  collect_answers(list, *n);
  return list;
}

static void free_facts (Facts *list, int n) {
  for (int i = 0; i < n; i++) {
    if (list[i].object != NULL) object_drop(list[i].object);
    for (int k = 0; k < AMONG_MOST; k++)
      if (list[i].among[k] != NULL) object_drop(list[i].among[k]);
    object_drop(&list[i].thread->object);
    free(list[i].traceback);
  }
  free(list);
}

/*
** Turning facts into tables.
*/

/*
** lua_pushstring would look the text up by its address in memory: whether it finds
** it, and so the collector's pace, would depend on where malloc has put it.
*/
static void set_string (lua_State *L, const char *field, const char *value) {
  if (value != NULL) lua_pushlstring(L, value, strlen(value));
  else lua_pushnil(L);
  lua_setfield(L, -2, field);
}

static void set_integer (lua_State *L, const char *field, lua_Integer value) {
  lua_pushinteger(L, value);
  lua_setfield(L, -2, field);
}

static void set_place (lua_State *L, const char *file, const char *line, const SourceLine *place) {
  if (place->line <= 0) return;
  set_string(L, file, place->source);
  set_integer(L, line, place->line);
}

/* Sets the thread that holds the object, and the line since which it does. */
static void set_holder (lua_State *L, Object *o) {
  uint64_t serial = o->kind->awaited != NULL ? o->kind->awaited(o) : 0;
  SourceLine since;
  char name[64];
  bool ended;
  if (serial == 0) return;
  set_string(L, "holder", thread_name_of(o->world, serial, name, &ended));
  set_integer(L, "holder_id", (lua_Integer)serial);
  lua_pushboolean(L, ended);
  lua_setfield(L, -2, "holder_ended");
  if (o->kind->held_since != NULL && o->kind->held_since(o, &since))
    set_place(L, "held_file", "held_line", &since);
}

static void set_object (lua_State *L, Object *o) {
  SourceLine lost;
  char name[64];
  set_string(L, "object_kind", o->kind->name);
  set_string(L, "object_name", object_name(o, name));
  if (o->kind->describe != NULL) {
    o->kind->describe(L, o);
    lua_pushfstring(L, "%s '%s' (%s)", o->kind->name, object_name(o, name), lua_tostring(L, -1));
    lua_setfield(L, -3, "object");
    lua_pop(L, 1);
  }
  set_holder(L, o);
  if (o->kind->lost_wakeup != NULL && o->kind->lost_wakeup(o, &lost))
    set_place(L, "lost_file", "lost_line", &lost);
}

/* The objects that a select waits for. */
static void set_among (lua_State *L, const Facts *f) {
  char name[64];
  lua_createtable(L, f->among_count, 0);
  for (int i = 0; i < f->among_count && i <= AMONG_MOST; i++) {
    Object *o = i < AMONG_MOST ? f->among[i] : NULL;
    if (o == NULL) lua_pushfstring(L, "%d more", f->among_count - AMONG_MOST);
    else if (o->kind->describe == NULL)
      lua_pushfstring(L, "%s '%s'", o->kind->name, object_name(o, name));
    else {
      o->kind->describe(L, o);
      lua_pushfstring(L, "%s '%s' (%s)", o->kind->name, object_name(o, name), lua_tostring(L, -1));
      lua_remove(L, -2);
    }
    lua_rawseti(L, -2, i + 1);
  }
  lua_setfield(L, -2, "objects");
}

static void push_facts (lua_State *L, const Facts *f, Nanos now) {
  const char *state = !f->blocked ? "running" : f->operation == OP_SLEEP ? "sleeping" : "blocked";
  lua_createtable(L, 0, 16);
  set_integer(L, "id", (lua_Integer)f->thread->serial);
  set_string(L, "name", f->name);
  set_string(L, "state", state);
  lua_pushboolean(L, f->daemon);
  lua_setfield(L, -2, "daemon");
  lua_pushboolean(L, f->thread->is_main);
  lua_setfield(L, -2, "main");
  if (f->traceback != NULL) set_string(L, "traceback", f->traceback);
  if (!f->blocked) return;
  set_string(L, "operation", op_info[f->operation].word);
  lua_pushnumber(L, (lua_Number)(now - f->since) / NANOS);
  lua_setfield(L, -2, "since");
  if (f->until != FOREVER) {
    lua_pushnumber(L, (lua_Number)(f->until - now) / NANOS);
    lua_setfield(L, -2, "deadline");
  }
  set_place(L, "file", "line", &f->place);
  if (f->among_count > 0) set_among(L, f);
  else if (f->object != NULL) set_object(L, f->object);
}

typedef struct Gathered {
  Facts *list;
  int n;
  Nanos now;
} Gathered;

/* (gathered) in protected mode. */
static int push_list (lua_State *L) {
  Gathered *g = args_inner(L, 1);
  lua_createtable(L, g->n, 0);
  for (int i = 0; i < g->n; i++) {
    push_facts(L, &g->list[i], g->now);
    lua_rawseti(L, -2, i + 1);
  }
  return 1;
}

void dump_push_threads (lua_State *L, World *world) {
  Gathered g;
  int status;
  g.list = gather(world, &g.n);
  g.now = world_now(world);
  if (g.list == NULL) args_no_memory(L);
  lua_pushcfunction(L, push_list);
  lua_pushlightuserdata(L, &g);
  status = lua_pcall(L, 1, 1, 0);
  free_facts(g.list, g.n);
  if (status != LUA_OK) lua_error(L);
}

/* threads() */
int dump_threads (lua_State *L) {
  World *world = thread_self->object.world;
  announce(L, OP_LOOK, NULL);
  dump_push_threads(L, world);
  lua_rawgeti(L, -1, 1);
  for (int i = 1; lua_istable(L, -1); lua_rawgeti(L, -1, ++i)) {
    lua_getfield(L, -1, "id"); /* the caller's own stack, which is at hand */
    if (lua_tointeger(L, -1) == (lua_Integer)thread_self->serial) {
      luaL_traceback(L, L, NULL, 0);
      lua_setfield(L, -3, "traceback");
    }
    lua_pop(L, 2);
  }
  lua_pop(L, 1);
  return 1;
}

/* dump() */
int dump_dump (lua_State *L) {
  lua_module_push(L, "luasync.report", "dump");
  dump_threads(L);
  lua_call(L, 1, 1);
  return 1;
}

/*
** Reports in a state of their own.
*/

typedef struct Report {
  World *world;
  const char *name, *detail;
  char *text;
} Report;

static int make_report (lua_State *L) {
  Report *r = args_inner(L, 1);
  lua_module_push(L, "luasync.report", r->name);
  dump_push_threads(L, r->world);
  lua_pushstring(L, r->detail);
  copies_push_context(L, r->world);
  lua_call(L, 3, 1);
  r->text = strdup(luaL_checkstring(L, -1));
  return 0;
}

/*
** A state that nobody uses just now, with the modules that reports need; NULL: none. A
** search or a test that simulates meets thousands of deadlocks.
*/
static _Atomic(lua_State *) idle_state;

/* Keeps a state for the next report, or closes it. */
static void leave_state (lua_State *L) {
  lua_State *none = NULL;
  lua_settop(L, 0);
  if (!atomic_compare_exchange_strong(&idle_state, &none, L)) lua_close(L);
}

char *dump_report (World *world, const char *name, const char *detail) {
  Report r = {world, name, detail, NULL};
  lua_State *L = atomic_exchange(&idle_state, NULL);
  if (L == NULL) L = state_open();
  if (L != NULL) {
    lua_pushcfunction(L, make_report);
    lua_pushlightuserdata(L, &r);
    if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
      const char *why = lua_tostring(L, -1);
      free(r.text);
      r.text = malloc(512);
      if (r.text != NULL)
        snprintf(r.text, 512, "luasync: %s (no report: %s)\n", name, why != NULL ? why : "?");
      lua_close(L);
    }
    else leave_state(L);
  }
  return r.text;
}
