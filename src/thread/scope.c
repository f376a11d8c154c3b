/*
** scope.c - Scope: threads that cannot outlive a block.
**
** A scope knows those of its threads that have been started and have not ended; a
** thread enters on its way to being started and leaves when it counts as ended. The
** first one that fails is kept for join, or the end of the block, to raise its error,
** and all others are interrupted. Until it is raised the error counts as not taken,
** as one left to the default hook does, so that it cannot vanish from the exit code.
**
** The error of a thread that the scope has interrupted is the interrupt, as a rule,
** and nobody needs to hear of it. If the interrupt is still pending the thread has
** failed by itself at the same time, and its error goes to the hook.
*/
#include "message/message.h"
#include "thread/private.h"
#include "thread/thread.h"
#include "world/args.h"
#include "world/record.h"
#include "world/memory.h"

/* A thread of the scope. */
typedef struct Member {
  Thread *thread; /* a reference */
  bool interrupted;
} Member;

typedef struct Scope {
  Object object;
  pthread_mutex_t mu;
  Member *members; /* those that live; under mu */
  int count;       /* under mu */
  int capacity;    /* under mu */
  Line joiners;    /* under mu */
  Thread *failed;  /* the first, a reference; NULL: none; under mu */
  bool taken;      /* its error has been raised; under mu */
  bool closed;     /* under mu */
} Scope;

static Scope *check_scope (lua_State *L) { return object_check(L, 1, &scope_kind); }

/*
** Members.
*/

/* Under s->mu. */
static void interrupt_member (Member *m) {
  Thread *t = m->thread;
  pthread_mutex_lock(&t->mu);
  if (atomic_load(&t->life) == LIFE_STARTED && !(atomic_load(&t->alerts) & ALERT_INTERRUPT)) {
    thread_alert(t, ALERT_INTERRUPT);
    t->object.world->driver->poke(t);
  }
  pthread_mutex_unlock(&t->mu);
  m->interrupted = true;
}

/*
** An operation of its own, of the running thread; where the block ends by it nobody
** outside spawns from then on. [0, 0, -]
*/
static void interrupt_all (lua_State *L, Scope *s, const Thread *but, bool closes) {
  announce(L, OP_INTERRUPT, s);
  pthread_mutex_lock(&s->mu);
  s->closed = s->closed || closes;
  for (int i = 0; i < s->count; i++)
    if (s->members[i].thread != but) interrupt_member(&s->members[i]);
  pthread_mutex_unlock(&s->mu);
}

static int find (const Scope *s, const Thread *t) {
  int i = s->count - 1;
  while (i >= 0 && s->members[i].thread != t) i--;
  return i;
}

/* Room for one more; under mu. */
static bool make_room (Scope *s) {
  int capacity = 2 * s->capacity + 4;
  Member *grown;
  if (s->count < s->capacity) return true;
  grown = world_realloc(s->object.world, s->members, (size_t)capacity * sizeof *grown);
  if (grown == NULL) return false;
  s->members = grown;
  s->capacity = capacity;
  return true;
}

/* t is about to begin; false: no memory. */
static bool starting (Thread *t) {
  Scope *s = (Scope *)t->owner;
  bool room;
  pthread_mutex_lock(&s->mu);
  room = make_room(s);
  if (room) {
    object_keep(&t->object);
    s->members[s->count++] = (Member){.thread = t};
  }
  pthread_mutex_unlock(&s->mu);
  return room;
}

/* t counts as ended, or has not begun after all. */
static void ended (Thread *t) {
  Scope *s = (Scope *)t->owner;
  Waiter *chain = NULL;
  int i;
  pthread_mutex_lock(&s->mu);
  i = find(s, t);
  if (i >= 0) s->members[i] = s->members[--s->count];
  if (s->count == 0) chain = line_choose_all(&s->joiners);
  pthread_mutex_unlock(&s->mu);
  line_wake(chain);
  if (i >= 0) object_drop(&t->object);
}

/* The error of t counts for the exit code, or no longer does. */
static void count_error (Thread *t, bool counts) {
  pthread_mutex_lock(&t->mu);
  if (t->error_counted != counts) {
    t->error_counted = counts;
    atomic_fetch_add(&t->object.world->errors_untaken, counts ? 1 : -1);
  }
  pthread_mutex_unlock(&t->mu);
}

/* t, which runs, has failed. True: nobody else need hear of it. */
static bool failed (Thread *t) {
  Scope *s = (Scope *)t->owner;
  bool first, quiet;
  int i;
  pthread_mutex_lock(&s->mu);
  i = find(s, t);
  first = s->failed == NULL && !s->taken && !s->members[i].interrupted;
  quiet = s->members[i].interrupted && !(atomic_load(&t->alerts) & ALERT_INTERRUPT);
  if (first) {
    s->failed = t;
    object_keep(&t->object);
  }
  pthread_mutex_unlock(&s->mu);
  if (first) cycles_hold(&s->object);
  if (!first) return quiet;
  count_error(t, true);
  interrupt_all(t->L, s, t, false);
  return true;
}

static const Role role = {.starting = starting, .failed = failed, .ended = ended};

/*
** Whether a new thread may begin: at the end of the block only for those that are
** inside and waited for. *late: it is to be interrupted, as the others have been.
*/
static bool is_open (Scope *s, bool *late) {
  bool open;
  pthread_mutex_lock(&s->mu);
  open = !s->closed || thread_self->owner == &s->object;
  *late = s->failed != NULL;
  pthread_mutex_unlock(&s->mu);
  return open;
}

/* spawn(fn, ...): a started thread of the scope. */
static int scope_spawn (lua_State *L) {
  Scope *s = check_scope(L);
  Thread *t;
  bool late;
  if (!args_is_callable(L, 2)) return luaL_typeerror(L, 2, "function");
  if (!is_open(s, &late)) return args_misuse(L, "cannot spawn in a closed scope");
  t = thread_make(L, sizeof *t, &thread_kind);
  t->role = &role;
  t->owner = &s->object;
  object_keep(t->owner);
  lua_replace(L, 1); /* thread fn args... */
  thread_name_default(L, t, 2);
  thread_store_work(L, 1, 2);
  object_ready(L, 1);
  thread_start(L);
  if (late) interrupt_all(L, s, NULL, false);
  return 1;
}

/*
** Joining.
*/

/* Waits until no thread of the scope is left. */
static Wake wait_all (lua_State *L, Scope *s, Nanos deadline, bool deaf) {
  Waiter w;
  bool done;
  waiter_init(&w, OP_SCOPE_JOIN, s, deadline);
  w.deaf = deaf;
  pthread_mutex_lock(&s->mu);
  done = s->count == 0;
  if (!done && deadline != 0) line_join(&s->joiners, &w);
  pthread_mutex_unlock(&s->mu);
  if (done) return WAKE_CHOSEN;
  return deadline == 0 ? WAKE_TIMEOUT : line_wait(L, &w, &s->mu, deadline);
}

static void record_joined (Scope *s, Wake wake) {
  if (!record_is_on() || wake == WAKE_INTERRUPT) return;
  pthread_mutex_lock(&s->mu);
  record(OP_SCOPE_JOIN, s, wake == WAKE_CHOSEN, s->count);
  pthread_mutex_unlock(&s->mu);
}

/* The first error is being raised, or is not to be. False: there is none that has not been. */
static bool take_failed (Scope *s) {
  Thread *t;
  pthread_mutex_lock(&s->mu);
  t = s->failed;
  s->failed = NULL;
  s->taken = s->taken || t != NULL;
  pthread_mutex_unlock(&s->mu);
  if (t == NULL) return false;
  count_error(t, false);
  object_drop(&t->object);
  return true;
}

/* Pushes the thread whose error is to be raised, or nil. [0, +1, memory] */
static Thread *push_failed (lua_State *L, Scope *s) {
  Slot slot = {.tag = SLOT_NIL};
  Thread *t;
  pthread_mutex_lock(&s->mu);
  t = s->failed;
  if (t != NULL) object_keep(&t->object);
  pthread_mutex_unlock(&s->mu);
  if (t != NULL) {
    slot.tag = SLOT_OBJECT;
    slot.u.object = &t->object;
  }
  slot_push_free(L, &slot);
  return t;
}

/* (outcome) */
static int push_outcome (lua_State *L) { return message_decode(L, args_inner(L, 1)); }

/*
** Raises the first error, if there is one that has not been raised. Where memory for it
** is short it has not been: it stays for the next join. [0, 0, raises]
*/
static void raise_failed (lua_State *L, Scope *s) {
  int top = lua_gettop(L), status;
  Thread *t;
  luaL_checkstack(L, 8, NULL);
  t = push_failed(L, s);
  if (t != NULL && t->outcome == NULL) {
    if (take_failed(s)) args_no_memory(L); /* which the thread has met */
  }
  else if (t != NULL) {
    lua_pushcfunction(L, push_outcome);
    lua_pushlightuserdata(L, t->outcome);
    status = lua_pcall(L, 1, 1, 0);
    if (status != LUA_OK && args_is_no_memory(L, -1)) lua_error(L);
    if (take_failed(s)) lua_error(L);
  }
  lua_settop(L, top);
}

static void check_outside (lua_State *L, Scope *s) {
  if (thread_self->owner == &s->object)
    args_misuse(L, "cannot join a scope from one of its threads");
}

/* join([timeout]): true, or false where the time ran out; raises the first error. */
static int scope_join (lua_State *L) {
  Scope *s = check_scope(L);
  Nanos relative = args_timeout(L, 2);
  Nanos deadline = relative == 0 ? 0 : world_deadline(s->object.world, relative);
  Wake wake;
  check_outside(L, s);
  wait_allowed(L);
  announce_until(L, OP_SCOPE_JOIN, s, deadline);
  wake = wait_all(L, s, deadline, false);
  record_joined(s, wake);
  if (wake == WAKE_INTERRUPT) thread_raise(L);
  if (wake == WAKE_CHOSEN) raise_failed(L, s);
  lua_pushboolean(L, wake == WAKE_CHOSEN);
  return 1;
}

/*
** __close(self, error): the block ends. After an error in it, or an interrupt while
** this waits, the threads are interrupted; they are waited for in any case.
*/
static int scope_close (lua_State *L) {
  Scope *s = check_scope(L);
  bool failing = !lua_isnoneornil(L, 2);
  Wake wake;
  lua_settop(L, 2);
  check_outside(L, s);
  if (failing) {
    interrupt_all(L, s, NULL, true);
    announce_deaf(L, OP_SCOPE_JOIN, s);
  }
  else announce(L, OP_SCOPE_JOIN, s);
  pthread_mutex_lock(&s->mu);
  s->closed = true;
  pthread_mutex_unlock(&s->mu);
  wake = wait_all(L, s, FOREVER, failing);
  if (wake == WAKE_INTERRUPT) {
    interrupt_all(L, s, NULL, true);
    announce_deaf(L, OP_SCOPE_JOIN, s);
    record_joined(s, wait_all(L, s, FOREVER, true));
  }
  else record_joined(s, wake);
  if (failing || wake == WAKE_INTERRUPT) take_failed(s);
  if (wake == WAKE_INTERRUPT) thread_raise(L);
  if (!failing) raise_failed(L, s);
  return 0;
}

/*
** The object.
*/

static void scope_describe (lua_State *L, Object *o) {
  Scope *s = (Scope *)o;
  int count;
  bool closed;
  pthread_mutex_lock(&s->mu);
  count = s->count;
  closed = s->closed;
  pthread_mutex_unlock(&s->mu);
  lua_pushfstring(L, count == 1 ? "%d thread%s" : "%d threads%s", count, closed ? ", closed" : "");
}

/* Its living threads hold a reference, so it has none of these. */
static void scope_destroy (Object *o) {
  Scope *s = (Scope *)o;
  if (s->failed != NULL) object_drop(&s->failed->object);
  world_free(o->world, s->members);
  pthread_mutex_destroy(&s->mu);
}

/* The first that has failed; once it has been taken there is never another. */
static uint64_t scope_visit (Object *o, CycleSearch *search) {
  Scope *s = (Scope *)o;
  Thread *t;
  pthread_mutex_lock(&s->mu);
  t = s->failed;
  if (t != NULL && search != NULL) cycles_object(search, &t->object);
  pthread_mutex_unlock(&s->mu);
  return (uintptr_t)t;
}

static unsigned scope_ready (Object *o, const Thread *t) {
  Scope *s = (Scope *)o;
  bool over;
  (void)t;
  pthread_mutex_lock(&s->mu);
  over = s->count == 0;
  pthread_mutex_unlock(&s->mu);
  return over ? READY_DONE : 0;
}

int scope_new (lua_State *L) {
  int n, options = object_options(L, 1, &n);
  luaL_argcheck(L, n == 0, 1, "no arguments but { name = \"...\" } expected");
  Scope *s = object_new(L, sizeof *s, &scope_kind, options);
  pthread_mutex_init(&s->mu, NULL);
  return 1;
}

static int finish (lua_State *L, int status, lua_KContext context) {
  (void)status;
  (void)context;
  return lua_gettop(L) - 1; /* all but the scope */
}

/* scope(fn, ...): fn(scope, ...) in a scope of its own; its results. */
int scope_call (lua_State *L) {
  Scope *s;
  if (!args_is_callable(L, 1)) return luaL_typeerror(L, 1, "function");
  s = object_new(L, sizeof *s, &scope_kind, 0);
  pthread_mutex_init(&s->mu, NULL);
  lua_insert(L, 1);
  lua_pushvalue(L, 1);
  lua_insert(L, 3); /* scope fn scope args... */
  lua_toclose(L, 1);
  lua_callk(L, lua_gettop(L) - 2, LUA_MULTRET, 0, finish);
  return finish(L, LUA_OK, 0);
}

static const luaL_Reg methods[] = {{"spawn", scope_spawn}, {"join", scope_join}, {NULL, NULL}};

static const luaL_Reg meta[] = {{"__close", scope_close}, {NULL, NULL}};

const Kind scope_kind = {.name = "Scope",
                         .destroy = scope_destroy,
                         .visit = scope_visit,
                         .describe = scope_describe,
                         .methods = methods,
                         .meta = meta,
                         .ready = scope_ready};
