/*
** barrier.c - Barrier: a number of threads that wait for each other.
**
** All that stand in line belong to one generation. The last to arrive gives each
** of them its index, wakes them and so begins the next generation; the outcome
** lies in the waiter, so nobody has to wait until the old one has drained.
**
** The action is a Lua function, called in the last arriver's state, as a copy like
** any function that crosses; no mutex is held meanwhile. The barrier then has an
** `actor`, and newcomers stand at the door. Breaking or resetting the barrier ends
** the generation, so the actor finds that another one has begun.
*/
#include <string.h>

#include "message/message.h"
#include "objects/kinds.h"
#include "thread/thread.h"
#include "world/args.h"
#include "world/record.h"

typedef struct Barrier {
  Object object;
  lua_Integer parties; /* const after init */
  Nanos timeout;       /* const after init; relative: for waits without one of their own */
  Message *action;     /* const after init; NULL: none */
  pthread_mutex_t mu;
  Line line;           /* of Arrivals: this generation; under mu */
  Line door;           /* newcomers while the action runs; under mu */
  uint64_t generation; /* counts trips, breaks and resets; under mu */
  Thread *actor;       /* runs the action; NULL: none does; under mu */
  bool broken;         /* under mu */
} Barrier;

/*
** A thread in line. `index` is written under mu by the thread that chooses it; 0: the
** barrier has been broken.
*/
typedef struct Arrival {
  Waiter waiter; /* first */
  lua_Integer index;
  bool at_door;  /* const while in line: of those to come, while the action runs */
  Waiter *chain; /* own: those that it has let go or broken, to be woken */
} Arrival;

#define ACTION "luasync.Action"
#define ACTION_ROOM 100 /* of Lua's stack, for the call of an action that is no very large one */

/* On the stack of a thread that waits at a barrier with an action, to be closed; holds the barrier. */
typedef struct Action {
  uint64_t generation; /* for which it is due */
  bool is_due;         /* the thread is the last to arrive */
  bool has_begun;
} Action;

static lua_Integer look (Barrier *b, bool *is_broken);

static Barrier *check_barrier (lua_State *L) { return object_check(L, 1, &barrier_kind); }

/* How many of the line will still be there when it is woken; under mu. */
static lua_Integer count (const Line *line) {
  lua_Integer n = 0;
  for (const Waiter *w = line->first; w != NULL; w = w->next) n += !waiter_is_leaving(w);
  return n;
}

/* Ends the generation; with `passes` each gets its index. Returns those to wake; under mu. */
static Waiter *end_generation (Barrier *b, bool passes) {
  Waiter *chain = line_choose_all(&b->line), **last = &chain;
  lua_Integer index = 0;
  for (; *last != NULL; last = &(*last)->next) ((Arrival *)*last)->index = passes ? ++index : 0;
  *last = line_choose_all(&b->door);
  b->generation++;
  b->actor = NULL;
  return chain;
}

/* Ends the generation before all have arrived. */
static void end_by_force (Barrier *b, bool broken) {
  Waiter *chain;
  pthread_mutex_lock(&b->mu);
  b->broken = broken;
  chain = end_generation(b, false);
  pthread_mutex_unlock(&b->mu);
  line_wake(chain);
}

/* A call of the running thread lets all pass, or breaks the barrier; before anybody hears of that. */
static void record_arrival (Barrier *b, lua_Integer index) { record(OP_ARRIVE, b, index, 0); }

/* Breaks the barrier, if `generation` is still the one. */
static void break_generation (Barrier *b, uint64_t generation) {
  Waiter *chain = NULL;
  pthread_mutex_lock(&b->mu);
  if (b->generation == generation) {
    b->broken = true;
    chain = end_generation(b, false);
  }
  pthread_mutex_unlock(&b->mu);
  line_wake(chain);
}

/*
** The last arriver.
*/

/*
** All have arrived and the action is over: wakes them. False: the generation was broken
** meanwhile.
*/
static bool trip (Barrier *b, uint64_t generation) {
  Waiter *chain = NULL;
  bool passes;
  pthread_mutex_lock(&b->mu);
  passes = b->generation == generation;
  if (passes) chain = end_generation(b, true);
  pthread_mutex_unlock(&b->mu);
  if (passes) record_arrival(b, b->parties);
  line_wake(chain);
  return passes;
}

/* The last arriver has not arrived after all: the barrier is as before its call. */
static void step_back (Barrier *b, uint64_t generation) {
  Waiter *chain = NULL;
  pthread_mutex_lock(&b->mu);
  if (b->generation == generation) {
    b->actor = NULL;
    chain = line_choose_all(&b->door);
  }
  pthread_mutex_unlock(&b->mu);
  line_wake(chain);
}

/* __close of an action: (guard, error). An error breaks the barrier on its way out. */
static int action_close (lua_State *L) {
  const Action *action = luaL_checkudata(L, 1, ACTION);
  Barrier *b;
  if (!action->is_due || lua_isnoneornil(L, 2)) return 0;
  lua_getiuservalue(L, 1, 1);
  b = object_check(L, -1, &barrier_kind);
  if (!action->has_begun && args_is_no_memory(L, 2)) step_back(b, action->generation);
  else break_generation(b, action->generation);
  return 0;
}

/*
** Pushes the guard of an action that may become due, and makes room for its call: once
** the thread has arrived nothing must fail that is not the action's own.
*/
static void guard_action (lua_State *L) {
  Action *action = lua_newuserdatauv(L, sizeof *action, 1);
  *action = (Action){.is_due = false};
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, 1);
  if (luaL_newmetatable(L, ACTION)) {
    lua_pushcfunction(L, action_close);
    lua_setfield(L, -2, "__close");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
  }
  lua_setmetatable(L, -2);
  lua_toclose(L, -1);
  luaL_checkstack(L, ACTION_ROOM, NULL);
}

static void run_action (lua_State *L, Barrier *b, uint64_t generation) {
  Action *action = luaL_checkudata(L, 2, ACTION);
  int n;
  action->generation = generation;
  action->is_due = true;
  n = message_decode(L, b->action);
  action->has_begun = true;
  lua_call(L, n - 1, 0);
}

/*
** Waiting.
*/

typedef enum Step { ARRIVED, LAST, BROKEN, INSIDE } Step;

/*
** The time has run out, which breaks the barrier for all others; but where the thread
** stood at the door, not for the generation that has arrived already. Under mu.
*/
static void run_out (Waiter *w) {
  Arrival *a = (Arrival *)w;
  Barrier *b = (Barrier *)w->object;
  b->broken = true;
  a->chain = a->at_door ? line_choose_all(&b->door) : end_generation(b, false);
}

/*
** What comes next for the running thread, which stands in line where that is a wait. Where its
** call is over all it does has been done at once: nobody sees it half done. Under mu.
*/
static Step arrive (Barrier *b, Arrival *a, Nanos relative) {
  if (b->broken) return BROKEN;
  if (b->actor == thread_self) return INSIDE;
  a->at_door = b->actor != NULL;
  if (!a->at_door && count(&b->line) + 1 == b->parties) {
    if (b->action != NULL) b->actor = thread_self;
    else a->chain = end_generation(b, true);
    return LAST;
  }
  if (relative == 0) run_out(&a->waiter);
  else line_join(a->at_door ? &b->door : &b->line, &a->waiter);
  return ARRIVED;
}

static int broken (lua_State *L) {
  lua_pushnil(L);
  lua_pushliteral(L, "broken");
  return 2;
}

static int timed_out (lua_State *L, Barrier *b, const Arrival *a) {
  record_arrival(b, -1);
  line_wake(a->chain);
  lua_pushnil(L);
  lua_pushliteral(L, "timeout");
  return 2;
}

static int pass_last (lua_State *L, Barrier *b, const Arrival *a, uint64_t generation) {
  if (b->action == NULL) {
    record_arrival(b, b->parties);
    line_wake(a->chain);
  }
  else {
    run_action(L, b, generation);
    if (!trip(b, generation)) return broken(L);
  }
  lua_pushinteger(L, b->parties);
  return 1;
}

/* Arrives until it is no longer at the door, and waits for the others. */
static int wait (lua_State *L, Barrier *b, Nanos relative, Nanos deadline) {
  for (;;) {
    Arrival a = {.index = 0};
    uint64_t generation;
    Step step;
    Wake wake;
    waiter_init(&a.waiter, OP_ARRIVE, b, deadline);
    a.waiter.late = run_out;
    pthread_mutex_lock(&b->mu);
    generation = b->generation;
    step = arrive(b, &a, relative);
    pthread_mutex_unlock(&b->mu);
    if (step == LAST) return pass_last(L, b, &a, generation);
    if (step == BROKEN) return broken(L);
    if (step == INSIDE) return args_misuse(L, "cannot wait on a barrier inside its action");
    wake = relative == 0 ? WAKE_TIMEOUT : line_wait(L, &a.waiter, &b->mu, deadline);
    if (wake == WAKE_INTERRUPT) thread_raise(L);
    if (wake == WAKE_TIMEOUT) return timed_out(L, b, &a);
    if (a.at_door) continue;
    if (a.index == 0) return broken(L);
    lua_pushinteger(L, a.index);
    return 1;
  }
}

/*
** n results lie on the stack: the index, or nil and why not. What concerned others as
** well has been recorded.
*/
static void record_result (lua_State *L, Barrier *b, int n) {
  lua_Integer index = n == 1 ? lua_tointeger(L, -1) : 0;
  bool is_broken;
  if (!record_is_on() || index == b->parties) return;
  if (n == 1 || *lua_tostring(L, -1) == 'b') record(OP_ARRIVE, b, index, look(b, &is_broken));
}

/* wait([timeout]): the arrival index, or nil and "timeout" or "broken". */
static int barrier_wait (lua_State *L) {
  Barrier *b = check_barrier(L);
  Nanos relative = lua_isnoneornil(L, 2) ? b->timeout : args_timeout(L, 2);
  Nanos deadline = relative == 0 ? 0 : world_deadline(b->object.world, relative);
  lua_settop(L, 1);
  int n;
  if (b->action != NULL) guard_action(L);
  wait_allowed(L);
  announce_until(L, OP_ARRIVE, b, deadline);
  n = wait(L, b, relative, deadline);
  record_result(L, b, n);
  return n;
}

static int barrier_abort (lua_State *L) {
  Barrier *b = check_barrier(L);
  announce(L, OP_ABORT, b);
  record(OP_ABORT, b, 0, 0);
  end_by_force(b, true);
  return 0;
}

static int barrier_reset (lua_State *L) {
  Barrier *b = check_barrier(L);
  announce(L, OP_RESET, b);
  record(OP_RESET, b, 0, 0);
  end_by_force(b, false);
  return 0;
}

/*
** Questions.
*/

/* How many wait, and whether the barrier is broken. */
static lua_Integer look (Barrier *b, bool *is_broken) {
  lua_Integer n;
  pthread_mutex_lock(&b->mu);
  n = count(&b->line);
  *is_broken = b->broken;
  pthread_mutex_unlock(&b->mu);
  return n;
}

static int barrier_property (lua_State *L) {
  Barrier *b = check_barrier(L);
  const char *key = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
  bool is_broken;
  if (strcmp(key, "parties") == 0) lua_pushinteger(L, b->parties);
  else if (strcmp(key, "n_waiting") == 0) {
    announce(L, OP_LOOK, b);
    lua_pushinteger(L, look(b, &is_broken));
  }
  else if (strcmp(key, "broken") == 0) {
    announce(L, OP_LOOK, b);
    look(b, &is_broken);
    lua_pushboolean(L, is_broken);
  }
  else lua_pushnil(L);
  return 1;
}

static int barrier_set_property (lua_State *L) {
  return luaL_error(L, "cannot set field '%s' of a barrier", luaL_tolstring(L, 2, NULL));
}

static void barrier_describe (lua_State *L, Object *o) {
  Barrier *b = (Barrier *)o;
  bool is_broken;
  lua_Integer n = look(b, &is_broken);
  if (is_broken) lua_pushliteral(L, "broken");
  else lua_pushfstring(L, "%I of %I waiting", (LUAI_UACINT)n, (LUAI_UACINT)b->parties);
}

static void barrier_recorded (const Object *o, RecordedFacts *facts) {
  facts->most = ((const Barrier *)o)->parties;
}

static void barrier_destroy (Object *o) {
  Barrier *b = (Barrier *)o;
  message_free(b->action);
  pthread_mutex_destroy(&b->mu);
}

static uint64_t barrier_visit (Object *o, CycleSearch *search) {
  message_visit(((Barrier *)o)->action, search);
  return 0;
}

/* Barrier(parties [, action [, timeout]]) */
int barrier_new (lua_State *L) {
  int n, options = object_options(L, 4, &n);
  lua_Integer parties = luaL_checkinteger(L, 1);
  bool acts = n >= 2 && !lua_isnil(L, 2);
  Nanos timeout = n >= 3 ? args_timeout(L, 3) : FOREVER;
  luaL_argcheck(L, parties > 0, 1, "parties must be > 0");
  if (acts && !args_is_callable(L, 2)) return luaL_typeerror(L, 2, "function");
  Barrier *b = object_begin(L, sizeof *b, &barrier_kind, options);
  pthread_mutex_init(&b->mu, NULL);
  b->parties = parties;
  b->timeout = timeout;
  if (acts) b->action = message_encode(L, 2, 1, ROOT_CALL, b->object.world);
  if (message_leads(b->action)) cycles_hold(&b->object);
  object_ready(L, -1);
  return 1;
}

static const luaL_Reg methods[] = {
    {"wait", barrier_wait}, {"abort", barrier_abort}, {"reset", barrier_reset}, {NULL, NULL}};

static const luaL_Reg meta[] = {{"__newindex", barrier_set_property}, {NULL, NULL}};

const Kind barrier_kind = {.name = "Barrier",
                           .destroy = barrier_destroy,
                           .visit = barrier_visit,
                           .describe = barrier_describe,
                           .methods = methods,
                           .meta = meta,
                           .property = barrier_property,
                           .recorded = barrier_recorded};
