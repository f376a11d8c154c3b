/*
** future.c - Future: what a task of a Pool will have come to.
**
** It is pending, running, finished or failed, or cancelled; the last three are for
** good. The call is a message from the thread that submitted it, the outcome one
** from the worker; each thread that asks decodes it, as often as it likes.
*/
#include "objects/kinds.h"
#include "objects/pool/future.h"
#include "objects/select.h"
#include "world/record.h"
#include "world/args.h"

#define KILOBYTES 1 /* about what a future and its messages take outside of Lua */

typedef enum State { PENDING, RUNNING, FINISHED, FAILED, CANCELLED } State;

struct Future {
  Object object;
  pthread_mutex_t mu;
  atomic_int state; /* written under mu */
  Line line;        /* threads that wait for the end; under mu */
  Message *work;    /* the call; the worker's once it runs */
  Message *outcome; /* const once it is done; NULL after FAILED: no memory */
};

static Future *check_future (lua_State *L) { return object_check(L, 1, &future_kind); }

Future *future_new (lua_State *L, int first, int n) {
  Future *f = object_begin(L, sizeof *f, &future_kind, 0);
  pthread_mutex_init(&f->mu, NULL);
  f->work = message_encode(L, first, n, ROOT_CALL, f->object.world);
  if (message_leads(f->work)) cycles_hold(&f->object);
  object_ready(L, -1);
  /* Lua sees a proxy of some bytes; the collector hears of the messages behind it as well. */
  if (lua_gc(L, LUA_GCISRUNNING)) lua_gc(L, LUA_GCSTEP, KILOBYTES);
  return f;
}

/* A state as recordings number it. */
static int recorded (int state) { return state == CANCELLED ? 3 : state < FINISHED ? state : 2; }

/* What the running thread has made of it, before anybody hears of that. */
static void record_change (Future *f, State to) {
  if (to == RUNNING) record((OpKind)RECORD_RUN, f, 1, 1);
  else if (to == CANCELLED) record(OP_CANCEL, f, 1, 3);
  else record((OpKind)RECORD_RESOLVE, f, to == FINISHED, 2);
}

/* From one state to another; false: it was in none that allows that. */
static bool change (Future *f, State from, State to) {
  Waiter *chain = NULL;
  bool done;
  pthread_mutex_lock(&f->mu);
  done = atomic_load(&f->state) == (int)from;
  if (done) atomic_store(&f->state, to);
  if (done && record_is_on()) record_change(f, to);
  if (done && to != RUNNING) chain = line_choose_all(&f->line);
  pthread_mutex_unlock(&f->mu);
  line_wake(chain);
  return done;
}

bool future_is_done (Future *f) { return atomic_load(&f->state) >= FINISHED; }
bool future_has_failed (Future *f) { return atomic_load(&f->state) == FAILED; }
bool future_cancel (Future *f) { return change(f, PENDING, CANCELLED); }

/*
** Running.
*/

static void set_outcome (Future *f, Message *outcome) {
  if (message_leads(outcome)) cycles_hold(&f->object);
  f->outcome = outcome;
}

/* (future) calls the target; its results become the outcome. In protected mode. */
static int call_target (lua_State *L) {
  Future *f = args_inner(L, 1);
  Message *work = f->work;
  int n;
  lua_settop(L, 0);
  n = message_decode(L, work);
  f->work = NULL;
  thread_copy_begin(L, thread_self, work, 1, n);
  lua_pushvalue(L, 1); /* it captures what it may have changed */
  lua_insert(L, 1);
  lua_call(L, n - 1, LUA_MULTRET);
  thread_copy_end(L, thread_self);
  set_outcome(f, message_encode(L, 2, lua_gettop(L) - 1, ROOT_RESULTS, f->object.world));
  return 0;
}

/* (future, error) keeps the error as the outcome. In protected mode. */
static int keep_error (lua_State *L) {
  Future *f = args_inner(L, 1);
  set_outcome(f, message_encode(L, 2, 1, ROOT_ERROR, f->object.world));
  return 0;
}

/* Keeps the error at the top; where it cannot cross, the one that says so. [-1, 0, -] */
static void keep_some_error (lua_State *L, Future *f) {
  for (int i = 0; i < 2; i++) {
    lua_pushcfunction(L, keep_error);
    lua_insert(L, -2);
    lua_pushlightuserdata(L, f);
    lua_insert(L, -2);
    if (lua_pcall(L, 2, 0, 0) == LUA_OK) return;
  }
  lua_pop(L, 1);
}

void future_run (lua_State *L, Future *f) {
  State outcome = FINISHED;
  announce(L, OP_SET, f);
  if (!change(f, PENDING, RUNNING)) return;
  lua_pushcfunction(L, call_target);
  lua_pushlightuserdata(L, f);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
    outcome = FAILED;
    thread_copy_end(L, thread_self);
    keep_some_error(L, f);
  }
  thread_copy_forget(thread_self);
  announce(L, OP_SET, f);
  change(f, RUNNING, outcome);
}

/*
** Waiting.
*/

Wake future_wait (lua_State *L, Future *f, Nanos deadline) {
  Waiter w;
  bool done;
  waiter_init(&w, OP_RESULT, f, deadline);
  pthread_mutex_lock(&f->mu);
  done = future_is_done(f);
  if (!done && deadline != 0) line_join(&f->line, &w);
  pthread_mutex_unlock(&f->mu);
  if (done) return WAKE_CHOSEN;
  return deadline == 0 ? WAKE_TIMEOUT : line_wait(L, &w, &f->mu, deadline);
}

int future_push (lua_State *L, Future *f) {
  State state = (State)atomic_load(&f->state);
  record(OP_RESULT, f, state == CANCELLED ? -1 : 1, recorded(state));
  if (state == CANCELLED) {
    lua_pushnil(L);
    lua_pushliteral(L, "cancelled");
    return 2;
  }
  if (f->outcome == NULL) args_no_memory(L);
  if (state == FINISHED) return message_decode(L, f->outcome);
  message_decode(L, f->outcome);
  return lua_error(L);
}

/* result([timeout]): the task's values, its error raised; nil and "timeout" or "cancelled". */
static int future_result (lua_State *L) {
  Future *f = check_future(L);
  Nanos relative = args_timeout(L, 2);
  Nanos deadline = relative == 0 ? 0 : world_deadline(f->object.world, relative);
  Wake wake = WAKE_CHOSEN;
  lua_settop(L, 1);
  announce_until(L, OP_RESULT, f, deadline);
  if (!future_is_done(f)) {
    if (relative != 0) wait_allowed(L);
    wake = future_wait(L, f, deadline);
  }
  if (wake == WAKE_INTERRUPT) thread_raise(L);
  if (wake == WAKE_CHOSEN) return future_push(L, f);
  record(OP_RESULT, f, 0, recorded(atomic_load(&f->state)));
  lua_pushnil(L);
  lua_pushliteral(L, "timeout");
  return 2;
}

static Selected select_take (lua_State *L, Object *o, struct PriorityEntry *taken) {
  (void)L;
  (void)taken;
  return future_is_done((Future *)o) ? SELECT_TAKEN : SELECT_NOTHING;
}

static bool select_enlist (Object *o, Waiter *w, bool first) {
  Future *f = (Future *)o;
  bool stands;
  pthread_mutex_lock(&f->mu);
  stands = line_enlist(&f->line, w, first);
  pthread_mutex_unlock(&f->mu);
  return stands;
}

static bool select_withdraw (Object *o, Waiter *w) {
  Future *f = (Future *)o;
  bool stood;
  pthread_mutex_lock(&f->mu);
  stood = w->line != NULL;
  if (stood) line_leave(w);
  pthread_mutex_unlock(&f->mu);
  return stood || atomic_load(&w->woken) != 0;
}

static const Selectable selectable = {select_take, select_enlist, select_withdraw};

/*
** The rest of the Lua side.
*/

static int state_is (lua_State *L, State state) {
  Future *f = check_future(L);
  announce(L, OP_LOOK, f);
  lua_pushboolean(L, atomic_load(&f->state) == (int)state);
  return 1;
}

static int future_running (lua_State *L) { return state_is(L, RUNNING); }
static int future_cancelled (lua_State *L) { return state_is(L, CANCELLED); }

static int future_done (lua_State *L) {
  Future *f = check_future(L);
  announce(L, OP_LOOK, f);
  lua_pushboolean(L, future_is_done(f));
  return 1;
}

/* cancel(): true: it will not run, or has been cancelled already. */
static int future_cancel_call (lua_State *L) {
  Future *f = check_future(L);
  bool now, done;
  int state;
  announce(L, OP_CANCEL, f);
  now = future_cancel(f);
  state = atomic_load(&f->state);
  done = now || state == CANCELLED;
  if (!now) record(OP_CANCEL, f, done, recorded(state));
  lua_pushboolean(L, done);
  return 1;
}

static void future_describe (lua_State *L, Object *o) {
  static const char *const words[] = {"pending", "running", "finished", "failed", "cancelled"};
  lua_pushstring(L, words[atomic_load(&((Future *)o)->state)]);
}

static void future_destroy (Object *o) {
  Future *f = (Future *)o;
  message_free(f->work);
  message_free(f->outcome);
  pthread_mutex_destroy(&f->mu);
}

/* What a future holds stays while it is in one state. While its task runs the worker holds it. */
static uint64_t future_visit (Object *o, CycleSearch *search) {
  Future *f = (Future *)o;
  State state;
  pthread_mutex_lock(&f->mu);
  state = (State)atomic_load(&f->state);
  if (state == PENDING || state == CANCELLED) message_visit(f->work, search);
  else if (state != RUNNING) message_visit(f->outcome, search);
  pthread_mutex_unlock(&f->mu);
  return state;
}

static unsigned future_ready (Object *o, const Thread *t) {
  (void)t;
  return future_is_done((Future *)o) ? READY_TAKE : 0;
}

/*
** sync.wait.
*/

/* Replaces the list at 1 by one of its own, each future once; how many. [0, 0, raises] */
static int copy_list (lua_State *L) {
  lua_Integer n = luaL_len(L, 1), count = 0;
  lua_newtable(L);
  lua_newtable(L); /* seen: userdata -> true */
  for (lua_Integer i = 1; i <= n; i++) {
    lua_geti(L, 1, i);
    if (object_test(L, -1, &future_kind) == NULL)
      luaL_argerror(L, 1,
                    lua_pushfstring(L, "Future expected at [%I], got %s", (LUAI_UACINT)i,
                                    luaL_typename(L, -1)));
    lua_pushvalue(L, -1);
    if (lua_rawget(L, -3) == LUA_TNIL) {
      lua_pushvalue(L, -2);
      lua_rawseti(L, -5, ++count);
      lua_pushvalue(L, -2);
      lua_pushboolean(L, 1);
      lua_rawset(L, -5);
    }
    lua_pop(L, 2);
  }
  lua_pop(L, 1);
  lua_replace(L, 1);
  return (int)count;
}

static Future *future_at (lua_State *L, int i) {
  Future *f;
  lua_rawgeti(L, 1, i);
  f = object_check(L, -1, &future_kind);
  lua_pop(L, 1);
  return f;
}

/* Waits until all of the list at 1 are done, or the deadline; false: not all are. [0, 0, raises] */
static bool wait_all (lua_State *L, int n, Nanos deadline) {
  bool done = true;
  for (int i = 1; i <= n; i++) {
    Future *f = future_at(L, i);
    announce_until(L, OP_RESULT, f, deadline);
    if (future_wait(L, f, deadline) == WAKE_INTERRUPT) thread_raise(L);
    done &= future_is_done(f);
  }
  return done;
}

/* Pushes the lists of those that are done and of those that are not. [0, +2, memory] */
static void push_lists (lua_State *L, int n) {
  lua_Integer counts[2] = {0, 0};
  lua_newtable(L);
  lua_newtable(L);
  for (int i = 1; i <= n; i++) {
    int pending = !future_is_done(future_at(L, i));
    lua_rawgeti(L, 1, i);
    lua_rawseti(L, pending ? -2 : -3, ++counts[pending]);
  }
}

/* wait(futures [, timeout [, "first"]]): those that are done, those that are pending. */
int future_wait_list (lua_State *L) {
  static const char *const modes[] = {"all", "first", NULL};
  World *world = thread_self->object.world;
  Nanos relative, deadline;
  int n, mode;
  bool done;
  luaL_checktype(L, 1, LUA_TTABLE);
  relative = args_timeout(L, 2);
  mode = luaL_checkoption(L, 3, "all", modes);
  deadline = relative == 0 ? 0 : world_deadline(world, relative);
  lua_settop(L, 1);
  n = copy_list(L);
  if (relative != 0) wait_allowed(L);
  done = mode == 0 && deadline != 0 && wait_all(L, n, deadline);
  /* one look at all of them, which is announced as a try to take one */
  if (!done && n > 0) select_wait(L, mode == 0 ? 0 : deadline);
  push_lists(L, n);
  return 2;
}

static const luaL_Reg methods[] = {{"result", future_result},       {"done", future_done},
                                   {"running", future_running},     {"cancel", future_cancel_call},
                                   {"cancelled", future_cancelled}, {NULL, NULL}};

const Kind future_kind = {.name = "Future",
                          .destroy = future_destroy,
                          .describe = future_describe,
                          .methods = methods,
                          .ready = future_ready,
                          .visit = future_visit,
                          .select = &selectable};
