/*
** copies.c - threads that change copies of what they were sent.
**
** What a thread was sent is kept (message/sent.h). When its target has returned, and
** now and then before it waits, that is compared with what has become of it. Where a
** captured local, a global or a table differs, luasync.copies looks at the source: who
** assigns the variable, and does anybody else look at it after that? Only then there is a
** warning, one for each function and variable in a program.
**
** The Lua code runs in a state of its own: the program's is only read, with its
** collector stopped, so that nothing runs in it.
*/
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "base/source_text.h"
#include "message/sent.h"
#include "observe/copies.h"
#include "state/state.h"
#include "thread/thread.h"
#include "world/memory.h"
#include "world/lua_module.h"
#include "world/args.h"

#define CONTEXT_MOST 64 /* threads whose functions, or place, a report looks at */
#define KNOWN_MOST 8192 /* bytes of what is kept for reports */
#define KNOWN_LINE 512  /* bytes of a line in that */

/*
** What has been looked at. A change is looked at when it is seen first, and when a
** second thread of the same world has made it too; after a warning never again.
*/

#define SEEN_MOST 512

typedef struct Seen {
  uint64_t change, variable, thread;
  bool twice;
  bool done;   /* of the variable there has been a warning */
  char *known; /* for reports: "variable\tline\tchunk", or NULL; const once set */
} Seen;

static pthread_mutex_t seen_mu = PTHREAD_MUTEX_INITIALIZER;
static Seen seen[SEEN_MOST]; /* under seen_mu */
static int seen_count;       /* under seen_mu */

static uint64_t add_bytes (uint64_t hash, const void *bytes, size_t n) {
  const unsigned char *p = bytes;
  for (size_t i = 0; i < n; i++) hash = (hash ^ p[i]) * UINT64_C(1099511628211);
  return hash;
}

/* A number for the function of the thread and the variable. */
static uint64_t number_of_variable (const Sent *s, const SentChange *c) {
  const SentFunction *f = &s->functions[0];
  uint64_t hash = UINT64_C(14695981039346656037);
  if (s->function_count > 0) {
    hash = add_bytes(hash, f->source, f->length);
    hash = add_bytes(hash, &f->first, sizeof f->first);
  }
  hash = add_bytes(hash, &c->root, sizeof c->root);
  hash = add_bytes(hash, &c->argument, sizeof c->argument);
  return add_bytes(hash, c->name, strlen(c->name));
}

/* The same for the field that has changed. */
static uint64_t number_of_change (uint64_t variable, const SentChange *c) {
  return add_bytes(variable, c->field, strlen(c->field));
}

/*
** Whether the change is to be looked at; *again: another thread of the world has made it
** before. Under seen_mu.
*/
static bool take (uint64_t change, uint64_t variable, uint64_t thread, bool *again) {
  int i = 0;
  *again = false;
  for (int k = 0; k < seen_count; k++)
    if (seen[k].done && seen[k].variable == variable) return false;
  while (i < seen_count && seen[i].change != change) i++;
  if (i == SEEN_MOST) return false;
  if (i == seen_count) {
    seen[seen_count++] = (Seen){.change = change, .variable = variable, .thread = thread};
    return true;
  }
  if (seen[i].twice || seen[i].thread == thread) return false;
  *again = seen[i].thread >> 32 == thread >> 32; /* see World.base */
  seen[i].thread = thread;
  seen[i].twice = *again;
  return *again;
}

/* What is known of a change that has been looked at, or NULL. Under seen_mu. */
static const char *known_of (uint64_t change) {
  for (int i = 0; i < seen_count; i++)
    if (seen[i].change == change) return seen[i].known;
  return NULL;
}

static void note_known (uint64_t change, const char *known) {
  pthread_mutex_lock(&seen_mu);
  for (int i = 0; i < seen_count; i++)
    if (seen[i].change == change && seen[i].known == NULL) seen[i].known = strdup(known);
  pthread_mutex_unlock(&seen_mu);
}

/* There is a warning of the variable; false: there has been one. */
static bool be_done (uint64_t variable) {
  bool first = true;
  pthread_mutex_lock(&seen_mu);
  for (int i = 0; i < seen_count; i++) {
    if (seen[i].variable != variable) continue;
    first = first && !seen[i].done;
    seen[i].done = true;
  }
  pthread_mutex_unlock(&seen_mu);
  return first;
}

/*
** Facts for luasync.copies.
*/

/*
** read(source): the text of the chunk, or nil. It is not freed where Lua has no memory for
** it: the state is about to go.
*/
static int read_source (lua_State *L) {
  size_t length;
  char *text = source_text_of(luaL_checkstring(L, 1), &length);
  if (text == NULL) return 0;
  lua_pushlstring(L, text, length);
  free(text);
  return 1;
}

static void set_text (lua_State *L, const char *field, const char *value) {
  lua_pushlstring(L, value, strlen(value));
  lua_setfield(L, -2, field);
}

static void set_number (lua_State *L, const char *field, lua_Integer value) {
  lua_pushinteger(L, value);
  lua_setfield(L, -2, field);
}

/* [0, +1, memory] */
static void push_functions (lua_State *L, const Sent *s) {
  lua_createtable(L, s->function_count, 0);
  for (int i = 0; i < s->function_count; i++) {
    const SentFunction *f = &s->functions[i];
    lua_createtable(L, 0, 3);
    lua_pushlstring(L, f->source, f->length);
    lua_setfield(L, -2, "source");
    set_number(L, "first", f->first);
    set_number(L, "last", f->last);
    lua_rawseti(L, -2, i + 1);
  }
}

static void push_change (lua_State *L, const SentChange *c, bool again) {
  static const char *const roots[] = {"local", "global", "argument"};
  lua_createtable(L, 0, 10);
  set_text(L, "root", roots[c->root]);
  set_text(L, "name", c->name);
  set_text(L, "path", c->path);
  set_text(L, "field", c->field);
  set_text(L, "was", c->was);
  set_text(L, "is", c->is);
  set_number(L, "func", c->function + 1);
  set_number(L, "argument", c->argument);
  lua_pushboolean(L, c->added);
  lua_setfield(L, -2, "added");
  lua_pushboolean(L, again);
  lua_setfield(L, -2, "again");
}

/* In the terminal's or file's own words, also where a simulated world keeps what it prints. */
static void say (const char *text) {
  World *world = real_world();
  world->driver->write(world, 2, text, strlen(text));
}

/*
** Adds "thread\tvariable\tline\tchunk" to what is known of the world's copies. Its lines are
** in order, so that runs which have come to the same know the same.
*/
static void remember (World *world, const char *thread, const char *known) {
  char line[KNOWN_LINE], *grown;
  size_t length, old, at = 0;
  int n = snprintf(line, sizeof line, "%s\t%s\n", thread, known);
  if (n < 0 || (length = (size_t)n) >= sizeof line) return;
  pthread_mutex_lock(&world->mu);
  old = world->copies != NULL ? strlen(world->copies) : 0;
  while (at < old && strncmp(world->copies + at, line, length) < 0)
    at += strcspn(world->copies + at, "\n") + 1;
  if (old + length < KNOWN_MOST && (at == old || strncmp(world->copies + at, line, length) != 0)
      && (grown = world_realloc(world, world->copies, old + length + 1)) != NULL) {
    memmove(grown + at + length, grown + at, old - at);
    memcpy(grown + at, line, length);
    grown[old + length] = '\0';
    world->copies = grown;
  }
  pthread_mutex_unlock(&world->mu);
}

/* Pushes the list of functions that t was sent. [0, +1, memory] */
static void push_functions_of (lua_State *L, Thread *t) {
  Sent *s = lua_newuserdatauv(L, sizeof *s, 0);
  Message *sent;
  pthread_mutex_lock(&t->mu);
  sent = t->sent;
  message_keep(sent);
  pthread_mutex_unlock(&t->mu);
  s->function_count = 0;
  if (sent != NULL) message_functions(sent, s);
  push_functions(L, s);
  message_free(sent);
  lua_remove(L, -2);
}

/* Sets what copies of the world are known to be changed. [0, 0, memory] */
static void set_known (lua_State *L, World *world) {
  char *copy;
  pthread_mutex_lock(&world->mu);
  copy = world->copies != NULL ? strdup(world->copies) : NULL;
  pthread_mutex_unlock(&world->mu);
  if (copy != NULL) set_text(L, "known", copy);
  free(copy);
}

/* Sets what is known of threads that nobody has started, and how many more there are. [0, 0, memory] */
static void set_unstarted (lua_State *L, World *world) {
  Thread *list[CONTEXT_MOST];
  lua_Integer more = 0;
  char name[64];
  int n = 0;
  pthread_mutex_lock(&world->mu);
  for (Thread *t = world->unstarted; t != NULL; t = t->next)
    if (n == CONTEXT_MOST) more++;
    else if (counted_try_keep(&t->object.counted)) list[n++] = t;
  pthread_mutex_unlock(&world->mu);
  lua_createtable(L, n, 0);
  for (int i = 0; i < n; i++) {
    thread_copy_name(list[i], name);
    lua_createtable(L, 0, 4);
    set_text(L, "kind", list[i]->object.kind->name);
    set_text(L, "name", name);
    set_text(L, "file", list[i]->made_at.source);
    set_number(L, "line", list[i]->made_at.line);
    lua_rawseti(L, -2, n - i);
  }
  lua_setfield(L, -2, "unstarted");
  set_number(L, "more_unstarted", more);
  for (int i = 0; i < n; i++) object_drop(&list[i]->object); /* without memory for this they stay */
}

void copies_push_context (lua_State *L, World *world) {
  Thread *list[CONTEXT_MOST];
  int n = 0;
  pthread_mutex_lock(&world->mu);
  for (Thread *t = world->threads; t != NULL && n < CONTEXT_MOST; t = t->next) {
    object_keep(&t->object);
    list[n++] = t;
  }
  pthread_mutex_unlock(&world->mu);
  lua_createtable(L, 0, 5);
  lua_pushcfunction(L, read_source);
  lua_setfield(L, -2, "read");
  set_known(L, world);
  set_unstarted(L, world);
  lua_createtable(L, 0, n);
  for (int i = 0; i < n; i++) {
    push_functions_of(L, list[i]);
    lua_rawseti(L, -2, (lua_Integer)list[i]->serial);
  }
  lua_setfield(L, -2, "functions");
  for (int i = 0; i < n; i++) object_drop(&list[i]->object); /* without memory for this they stay */
}

/*
** Changes.
*/

typedef struct Look {
  Thread *thread;
  const Message *sent;
  Sent found;
  char name[64];
  uint64_t variables[SENT_CHANGES], numbers[SENT_CHANGES];
  bool again[SENT_CHANGES];
} Look;

/* (look) in protected mode, in the thread's state. */
static int compare (lua_State *L) {
  Look *look = args_inner(L, 1);
  message_compare(L, look->sent, &look->found);
  return 0;
}

/*
** Leaves the changes that are to be looked at; false: none. What is known of the others is
** true in this world, too.
*/
static bool choose (Look *look) {
  Sent *s = &look->found;
  const char *known[SENT_CHANGES];
  int n = 0, known_count = 0;
  pthread_mutex_lock(&seen_mu);
  for (int i = 0; i < s->change_count; i++) {
    uint64_t variable = number_of_variable(s, &s->changes[i]);
    uint64_t change = number_of_change(variable, &s->changes[i]);
    if (!take(change, variable, look->thread->unique, &look->again[n])) {
      known[known_count] = known_of(change);
      if (known[known_count] != NULL) known_count++;
      continue;
    }
    look->numbers[n] = change;
    look->variables[n] = variable;
    s->changes[n++] = s->changes[i];
  }
  pthread_mutex_unlock(&seen_mu);
  s->change_count = n;
  for (int i = 0; i < known_count; i++) remember(look->thread->object.world, look->name, known[i]);
  return n > 0;
}

/* (look) asks luasync.copies; in protected mode, in a state of its own. */
static int judge (lua_State *L) {
  Look *look = args_inner(L, 1);
  World *world = look->thread->object.world;
  lua_module_push(L, "luasync.copies", "changed");
  lua_createtable(L, 0, 4);
  set_text(L, "name", look->name);
  push_functions(L, &look->found);
  lua_setfield(L, -2, "functions");
  lua_createtable(L, look->found.change_count, 0);
  for (int i = 0; i < look->found.change_count; i++) {
    push_change(L, &look->found.changes[i], look->again[i]);
    lua_rawseti(L, -2, i + 1);
  }
  lua_setfield(L, -2, "changes");
  lua_pushcfunction(L, read_source);
  lua_call(L, 2, 2); /* warnings, and what is known, at the places of their changes */
  for (int i = 0; i < look->found.change_count; i++) {
    if (lua_rawgeti(L, -1, i + 1) == LUA_TSTRING) {
      note_known(look->numbers[i], lua_tostring(L, -1));
      remember(world, look->name, lua_tostring(L, -1));
    }
    if (lua_rawgeti(L, -3, i + 1) == LUA_TSTRING && be_done(look->variables[i])
        && !atomic_load(&world->silent_copies))
      say(lua_tostring(L, -1));
    lua_pop(L, 2);
  }
  return 0;
}

/* Calls f(ud) in a state of its own. */
static void call_apart (lua_CFunction f, void *ud) {
  lua_State *L = state_open();
  if (L == NULL) return;
  lua_pushcfunction(L, f);
  lua_pushlightuserdata(L, ud);
  lua_pcall(L, 1, 0, 0); /* without memory there is no warning */
  lua_close(L);
}

void copies_changed (lua_State *L, Thread *self) {
  Look *look;
  bool collects, compared, found;
  if (atomic_load_explicit(&self->object.world->silent_copies, memory_order_relaxed)
      || !lua_checkstack(L, LUA_MINSTACK))
    return;
  look = malloc(sizeof *look);
  if (look == NULL) return;
  look->thread = self;
  look->sent = self->sent; /* which this thread alone replaces */
  thread_copy_name(self, look->name);
  collects = lua_gc(L, LUA_GCISRUNNING);
  lua_gc(L, LUA_GCSTOP);
  lua_pushcfunction(L, compare);
  lua_pushlightuserdata(L, look);
  compared = lua_pcall(L, 1, 0, 0) == LUA_OK;
  if (!compared) lua_pop(L, 1);
  if (collects) lua_gc(L, LUA_GCRESTART);
  found = compared && look->found.change_count > 0 && choose(look);
  thread_copy_found(found);
  if (found) call_apart(judge, look);
  free(look);
}

/*
** Threads that never end.
*/

/* (thread) asks luasync.copies.causes; in protected mode, in a state of its own. */
static int judge_awaited (lua_State *L) {
  Thread *t = args_inner(L, 1);
  uint64_t number;
  bool again, first;
  char name[64];
  lua_module_push(L, "luasync.copies.causes", "awaited");
  lua_createtable(L, 0, 3);
  thread_copy_name(t, name);
  set_text(L, "name", name);
  set_known(L, t->object.world);
  push_functions_of(L, t);
  lua_setfield(L, -2, "functions");
  lua_pushcfunction(L, read_source);
  lua_call(L, 2, 1);
  if (lua_type(L, -1) != LUA_TSTRING) return 0;
  number = add_bytes(UINT64_C(14695981039346656037), lua_tostring(L, -1), lua_rawlen(L, -1));
  pthread_mutex_lock(&seen_mu);
  first = take(number, number, t->unique, &again);
  pthread_mutex_unlock(&seen_mu);
  if (first && !again) say(lua_tostring(L, -1));
  return 0;
}

void copies_awaited (Thread *t) {
  if (!atomic_load(&t->object.world->silent_copies)) call_apart(judge_awaited, t);
}
