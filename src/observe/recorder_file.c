/*
** recorder_file.c - from events in memory to a file.
**
** All that has been recorded is copied under `mu` and brought into order; then a Lua
** state that nobody else has turns it into a recording (luasync.trace.recorder) and
** writes it. Events of OS threads are ordered by time. What is older than the
** newest event that has been dropped is left out, so that nothing is missing in
** between.
*/
#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lauxlib.h>

#include "base/source_line.h"
#include "base/source_text.h"
#include "observe/private.h"
#include "observe/recorder.h"
#include "state/state.h"
#include "world/args.h"
#include "world/lua_module.h"

/* An event with its text, and its place in the order of copying. */
typedef struct Copied {
  Event event;
  char *text; /* NULL: none; malloc'ed */
  uint16_t length;
  uint32_t order;
} Copied;

typedef struct ThreadSerial {
  uint64_t serial;
  uint32_t known; /* its index among the known */
} ThreadSerial;

/* What is written, apart from the recorder. */
typedef struct Copy {
  Copied *events;
  size_t count, room;
  Known *known; /* names are its own */
  uint32_t known_count;
  Place *places; /* borrowed from the recorder, which keeps them */
  uint32_t place_count;
  int *threads;          /* for each known object the number of the thread that it is, or -1 */
  ThreadSerial *serials; /* of the threads, sorted */
  int thread_count;
  uint64_t lost;
  Nanos start, now, cut;
  double epoch;
  bool simulated, whole;
  const RunInfo *info;
  const char *file; /* NULL: text for stderr */
  const char *what; /* which function of luasync.trace.recorder makes it */
  const char *verdict, *text;
} Copy;

/*
** Copying; under mu.
*/

static bool copy_chunk (Copy *c, const Chunk *chunk) {
  int n = chunk != NULL ? atomic_load_explicit(&chunk->count, memory_order_acquire) : 0;
  const char *text = chunk != NULL ? chunk->text : NULL;
  if (c->count + (size_t)n > c->room) {
    size_t room = 2 * c->room + (size_t)n + CHUNK_EVENTS;
    Copied *grown = realloc(c->events, room * sizeof *grown);
    if (grown == NULL) return false;
    c->events = grown;
    c->room = room;
  }
  for (int i = 0; i < n; i++) {
    Copied *e = &c->events[c->count];
    *e = (Copied){.event = chunk->events[i], .order = (uint32_t)c->count};
    c->count++;
    if (!(e->event.kind & EVENT_HAS_TEXT)) continue;
    e->event.kind &= (uint8_t)~EVENT_HAS_TEXT;
    memcpy(&e->length, text, sizeof e->length);
    e->text = malloc(e->length + (size_t)1);
    if (e->text == NULL) return false;
    memcpy(e->text, text + sizeof e->length, e->length);
    text += sizeof e->length + e->length;
  }
  return true;
}

static bool copy_known (Copy *c, const Recorder *rec) {
  c->known = calloc(rec->known_count + (size_t)1, sizeof *c->known);
  c->threads = malloc((rec->known_count + (size_t)1) * sizeof *c->threads);
  c->serials = malloc((rec->known_count + (size_t)1) * sizeof *c->serials);
  if (c->known == NULL || c->threads == NULL || c->serials == NULL) return false;
  for (uint32_t i = 0; i < rec->known_count; i++) {
    c->known[i] = rec->known[i];
    c->known[i].name = rec->known[i].name != NULL ? strdup(rec->known[i].name) : NULL;
  }
  c->known_count = rec->known_count;
  c->places = malloc((rec->place_count + (size_t)1) * sizeof *c->places);
  if (c->places == NULL) return false;
  if (rec->place_count > 0) memcpy(c->places, rec->places, rec->place_count * sizeof *c->places);
  c->place_count = rec->place_count;
  return true;
}

static bool copy_all (Copy *c, Recorder *rec) {
  bool done = true;
  if (!c->info->sudden) recorder_look(rec);
  else if (rec->single == NULL) rec->now = world_now(rec->world);
  pthread_mutex_lock(&rec->mu);
  for (const Chunk *chunk = rec->full; chunk != NULL && done; chunk = chunk->next)
    done = copy_chunk(c, chunk);
  for (const Track *t = rec->tracks; t != NULL && done; t = t->next) done = copy_chunk(c, t->chunk);
  done = done && copy_known(c, rec);
  c->lost = rec->lost;
  c->start = rec->since;
  c->cut = rec->single == NULL ? rec->cut : -1;
  c->now = rec->now;
  c->epoch = rec->epoch;
  c->simulated = rec->single != NULL;
  c->whole = rec->whole && rec->lost == 0;
  pthread_mutex_unlock(&rec->mu);
  return done;
}

static void free_copy (Copy *c) {
  for (size_t i = 0; i < c->count; i++) free(c->events[i].text);
  for (uint32_t i = 0; i < c->known_count; i++) free(c->known[i].name);
  free(c->events);
  free(c->known);
  free(c->places);
  free(c->threads);
  free(c->serials);
}

/*
** Order.
*/

static int by_time (const void *one, const void *other) {
  const Copied *a = one, *b = other;
  if (a->event.time != b->event.time) return a->event.time < b->event.time ? -1 : 1;
  return a->order < b->order ? -1 : 1;
}

static void put_in_order (Copy *c) {
  size_t kept = 0;
  if (!c->simulated && c->count > 0) qsort(c->events, c->count, sizeof *c->events, by_time);
  for (size_t i = 0; i < c->count; i++) {
    Copied *e = &c->events[i];
    if (e->event.time >= c->start && e->event.time > c->cut) {
      c->events[kept++] = *e;
      continue;
    }
    if (e->event.time >= c->start) c->lost++;
    free(e->text);
  }
  c->count = kept;
}

static int by_serial (const void *one, const void *other) {
  uint64_t a = ((const ThreadSerial *)one)->serial, b = ((const ThreadSerial *)other)->serial;
  return a < b ? -1 : a > b;
}

/* Threads count from 0 in the order of their creation. */
static void number_threads (Copy *c) {
  c->thread_count = 0;
  for (uint32_t i = 0; i < c->known_count; i++) {
    c->threads[i] = -1;
    if (c->known[i].serial != 0)
      c->serials[c->thread_count++] = (ThreadSerial){c->known[i].serial, i};
  }
  qsort(c->serials, (size_t)c->thread_count, sizeof *c->serials, by_serial);
  for (int i = 0; i < c->thread_count; i++) c->threads[c->serials[i].known] = i;
}

/*
** Tables.
*/

static lua_Integer thread_of (const Copy *c, int64_t number) {
  return number > 0 && number <= (int64_t)c->known_count ? c->threads[number - 1] : -1;
}

static lua_Integer thread_with (const Copy *c, int64_t serial) {
  ThreadSerial wanted = {(uint64_t)serial, 0};
  const ThreadSerial *found =
      bsearch(&wanted, c->serials, (size_t)c->thread_count, sizeof wanted, by_serial);
  return found != NULL ? (lua_Integer)(found - c->serials) : -1;
}

/* Event.a as a recording has it. */
static lua_Integer value_a (const Copy *c, const Event *e) {
  switch (e->kind) {
    case RECORD_WAKE:
    case RECORD_MOVED: return thread_of(c, e->a);
    case RECORD_WAIT: return e->a == FOREVER ? -1 : e->a - c->start;
    case RECORD_CLOCK: return e->a - c->start;
    case RECORD_OP:
      if (e->op == OP_RELEASE || e->op == OP_READ_UNLOCK || e->op == OP_WRITE_UNLOCK)
        return thread_with(c, e->a);
  }
  return e->a;
}

static void push_column (lua_State *L, const Copy *c, const char *name, int which) {
  Nanos before = c->start;
  lua_createtable(L, (int)c->count, 0);
  for (size_t i = 0; i < c->count; i++) {
    const Event *e = &c->events[i].event;
    lua_Integer value = 0;
    switch (which) {
      case 0: value = e->time - before; break;
      case 1: value = thread_of(c, e->thread); break;
      case 2: value = e->kind; break;
      case 3: value = e->op < OP_COUNT ? e->op : e->op == OP_COUNT ? -1 : e->op - 1; break;
      case 4: value = (lua_Integer)e->object - 1; break;
      case 5: value = e->place; break;
      case 6: value = value_a(c, e); break;
      default: value = e->b; break;
    }
    before = e->time;
    lua_pushinteger(L, value);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  lua_setfield(L, -2, name);
}

static void push_texts (lua_State *L, const Copy *c) {
  char key[24];
  lua_newtable(L);
  for (size_t i = 0; i < c->count; i++) {
    if (c->events[i].text == NULL) continue;
    snprintf(key, sizeof key, "%zu", i);
    lua_pushlstring(L, c->events[i].text, c->events[i].length);
    lua_setfield(L, -2, key);
  }
  lua_setfield(L, -2, "text");
}

static void push_events (lua_State *L, const Copy *c) {
  static const char *const names[] = {"t", "th", "k", "op", "ob", "at", "a", "b"};
  lua_newtable(L);
  for (int i = 0; i < 8; i++) push_column(L, c, names[i], i);
  push_texts(L, c);
  lua_setfield(L, -2, "events");
}

static void set_text (lua_State *L, const char *name, const char *text) {
  lua_pushstring(L, text);
  lua_setfield(L, -2, name);
}

static void set_integer (lua_State *L, const char *name, lua_Integer n) {
  lua_pushinteger(L, n);
  lua_setfield(L, -2, name);
}

static void push_known (lua_State *L, const Copy *c) {
  lua_newtable(L);
  for (uint32_t i = 0; i < c->known_count; i++) {
    const Known *k = &c->known[i];
    lua_newtable(L);
    set_text(L, "kind", k->kind);
    set_text(L, "name", k->name != NULL ? k->name : k->kind);
    if (c->threads[i] >= 0) set_integer(L, "thread", c->threads[i]);
    if (k->daemon) lua_pushboolean(L, 1), lua_setfield(L, -2, "daemon");
    if (k->facts.most > 0) set_integer(L, "max", k->facts.most);
    if (k->facts.first != 0) set_integer(L, "first", k->facts.first);
    if (k->lock != 0) set_integer(L, "lock", (lua_Integer)k->lock - 1);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  lua_setfield(L, -2, "objects");
}

/* A text is not freed where Lua has no memory for it. */
static void push_places (lua_State *L, const Copy *c) {
  size_t length;
  char *text;
  lua_newtable(L);
  for (uint32_t i = 0; i < c->place_count; i++) {
    lua_newtable(L);
    set_text(L, "source", c->places[i].source);
    text = *c->places[i].source == '=' ? source_text_of(c->places[i].source, &length) : NULL;
    set_text(L, "text", text);
    free(text);
    set_integer(L, "line", c->places[i].line);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  lua_setfield(L, -2, "places");
}

/* The names of operations as they stand in op.h, and of those behind them. */
static void push_ops (lua_State *L) {
#define NAME(kind, word, needs, flags, order) #kind,
  static const char *const names[] = {OP_TABLE(NAME) "RUN", "RESOLVE"};
#undef NAME
  lua_newtable(L);
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    lua_pushstring(L, names[i]);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  lua_setfield(L, -2, "ops");
}

static void push_info (lua_State *L, const Copy *c) {
  const RunInfo *info = c->info;
  set_text(L, "world", info->world);
  set_text(L, "title", info->title);
  set_text(L, "command", info->command);
  set_text(L, "schedule", info->schedule);
  set_text(L, "script", info->script);
  if (info->seeded) set_integer(L, "seed", info->seed);
  set_text(L, "verdict", c->verdict);
  set_text(L, "text", c->text);
  if (info->code >= 0) set_integer(L, "exit", info->code);
  set_integer(L, "lost", (lua_Integer)c->lost);
  set_integer(L, "elapsed", c->now > c->start ? c->now - c->start : 0);
  set_integer(L, "thread_count", c->thread_count);
  lua_pushnumber(L, c->epoch);
  lua_setfield(L, -2, "epoch");
  lua_pushboolean(L, c->simulated);
  lua_setfield(L, -2, "simulated");
  lua_pushboolean(L, c->whole);
  lua_setfield(L, -2, "whole");
}

/* (copy) calls luasync.trace.recorder with the table and the file; in protected mode. */
static int write_copy (lua_State *L) {
  const Copy *c = args_inner(L, 1);
  lua_gc(L, LUA_GCSTOP);
  lua_module_push(L, "luasync.trace.recorder", c->what);
  lua_newtable(L);
  push_info(L, c);
  push_ops(L);
  push_known(L, c);
  push_places(L, c);
  push_events(L, c);
  lua_gc(L, LUA_GCRESTART);
  lua_pushstring(L, c->file);
  lua_call(L, 2, 1);
  if (c->file == NULL) fputs(luaL_checkstring(L, -1), stderr);
  return 0;
}

/* A problem that needs no memory to be told. */
static char no_memory[] = "not enough memory for the recording";

static char *tell (const char *problem) {
  char *copy = strdup(problem);
  if (copy == NULL) return no_memory;
  return copy;
}

void recorder_forget (char *problem) {
  if (problem != no_memory) free(problem);
}

void recorder_push_problem (lua_State *L, char *problem) {
  char text[1001];
  snprintf(text, sizeof text, "%s", problem);
  recorder_forget(problem);
  lua_pushstring(L, text);
}

static char *run (Copy *c) {
  lua_State *L = state_open();
  char *problem = NULL;
  if (L == NULL) return no_memory;
  lua_pushcfunction(L, write_copy);
  lua_pushlightuserdata(L, c);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK)
    problem = tell(lua_isstring(L, -1) ? lua_tostring(L, -1) : "cannot write the recording");
  lua_close(L);
  return problem;
}

static char *write_recording (Recorder *rec, const char *what, const char *file,
                              const RunInfo *info) {
  Copy c = {.info = info, .file = file, .what = what};
  char *problem;
  if (rec == NULL) return no_memory;
  c.verdict = rec->verdict != NULL ? rec->verdict : info->verdict;
  c.text = rec->text != NULL ? rec->text : info->text;
  if (copy_all(&c, rec)) {
    put_in_order(&c);
    number_threads(&c);
    problem = run(&c);
  }
  else problem = no_memory;
  free_copy(&c);
  return problem;
}

char *recorder_save (Recorder *rec, const char *file, const RunInfo *info) {
  return write_recording(rec, "save", file, info);
}

char *recorder_print (Recorder *rec, const char *what, const RunInfo *info) {
  return write_recording(rec, what, NULL, info);
}

char *recorder_problem (const char *file) {
  struct stat st;
  char *copy, *problem = NULL;
  int error = 0;
  if (strcmp(file, "-") == 0 || (copy = strdup(file)) == NULL) return NULL;
  if (stat(file, &st) == 0) error = S_ISDIR(st.st_mode) ? EISDIR : access(file, W_OK) ? errno : 0;
  else if (errno == ENOENT) error = access(dirname(copy), W_OK | X_OK) != 0 ? errno : 0;
  else error = errno;
  if (error != 0 && asprintf(&problem, "cannot write %s: %s", file, strerror(error)) < 0)
    problem = NULL;
  free(copy);
  return problem;
}

bool recorder_has_verdict (const Recorder *rec) { return rec->verdict != NULL; }

void recorder_verdict (World *world, const char *kind, const char *text) {
  Recorder *rec = recorder_of(world);
  if (rec == NULL) return;
  free(rec->text);
  rec->verdict = kind;
  rec->text = text != NULL ? strdup(text) : NULL;
}

/*
** From Lua.
*/

/* start([{ events = n }]) */
int recorder_start_for (lua_State *L) {
  static const char *const known[] = {"events", NULL};
  lua_Integer events = 0;
  if (!lua_isnoneornil(L, 1)) {
    luaL_checktype(L, 1, LUA_TTABLE);
    args_option_names(L, 1, known);
    if (lua_getfield(L, 1, "events") != LUA_TNIL) {
      luaL_argcheck(L, lua_isinteger(L, -1) && lua_tointeger(L, -1) > 0, 1,
                    "field 'events' must be a positive integer");
      events = lua_tointeger(L, -1);
    }
  }
  if (!recorder_start(thread_self->object.world, events, false))
    return luaL_error(L, "not enough memory");
  return 0;
}

/* stop(): whether anything was recorded. */
int recorder_stop_for (lua_State *L) {
  lua_pushboolean(L, recorder_stop(thread_self->object.world));
  return 1;
}

/* save(file): true, or nil and why not. */
int recorder_save_for (lua_State *L) {
  RunInfo info = {.verdict = "unfinished", .code = -1};
  const char *file = luaL_checkstring(L, 1);
  World *world = thread_self->object.world;
  Recorder *rec = recorder_of(world);
  char *problem;
  if (rec == NULL) {
    lua_pushnil(L);
    lua_pushliteral(L, "nothing is recorded: call start first");
    return 2;
  }
  if (!world_is_parallel(world)) info.world = "virtual";
  problem = recorder_save(rec, file, &info);
  lua_pushboolean(L, problem == NULL);
  if (problem == NULL) return 1;
  lua_pushnil(L);
  recorder_push_problem(L, problem);
  return 2;
}
