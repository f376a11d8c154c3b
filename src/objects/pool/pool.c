/*
** pool.c - Pool: threads that work off tasks.
**
** The tasks stand in a Queue, as futures; the workers are threads that take them out
** and call them. A submit starts a worker if no idle one takes the task at once, up to
** the number asked for. Pool and workers share the queue and nothing else: when the Pool
** is shut down or has been collected the queue is closed, and the workers end once it
** is empty.
**
** An idle worker waits for a task or for the end of the main script. So at the
** end of a program all that has been submitted is done, and then there are no workers
** to wait for.
*/
#include <stdio.h>
#include <unistd.h>

#include "objects/kinds.h"
#include "objects/pool/future.h"
#include "objects/queue/queue.h"
#include "objects/select.h"
#include "thread/name.h"
#include "thread/thread.h"
#include "world/args.h"

/* The queue, and what pool and workers count. */
typedef struct Tasks {
  Queue queue; /* of kind Queue; first */
  pthread_mutex_t mu;
  int active;   /* workers that will look at the queue once more; under mu */
  int alive;    /* workers that have not ended; under mu */
  int named;    /* workers ever; under mu */
  Line joiners; /* threads that wait for the last one to end; under mu */
} Tasks;

typedef struct Pool {
  Object object;
  Tasks *tasks; /* const after init; a reference */
  int most;     /* const after init: workers */
} Pool;

static Pool *check_pool (lua_State *L) { return object_check(L, 1, &pool_kind); }

/*
** Workers.
*/

/* Nothing is left to do: one worker less, unless a task has come meanwhile. */
static bool leave (Tasks *tasks) {
  bool leaves;
  pthread_mutex_lock(&tasks->mu);
  leaves = queue_size(&tasks->queue) == 0;
  if (leaves) tasks->active--;
  pthread_mutex_unlock(&tasks->mu);
  return leaves;
}

/* The next task, when there is one; false: the worker is to end. [0, 0, raises] */
static bool next_task (lua_State *L, Tasks *tasks, PriorityEntry *taken) {
  Queue *q = &tasks->queue;
  Thread *main = thread_self->object.world->main;
  Selected how;
  for (;;) {
    if (world_is_observed())
      world_announce(&(Op){.kind = OP_TRY_GET,
                           .object = &q->object,
                           .second = &main->object, /* whether that has ended */
                           .until = FOREVER,
                           .L = L});
    switch (queue_get_item(L, q, taken, 0)) {
      case QUEUE_DONE: return true;
      case QUEUE_SHUT: return !leave(tasks);
      default: break;
    }
    if (atomic_load(&main->life) == LIFE_ENDED) {
      if (leave(tasks)) return false;
    }
    else if (select_of_two(L, &q->object, &main->object, taken, &how) == 0 && how == SELECT_TAKEN)
      return true;
  }
}

/* The body of a worker. */
static bool work (lua_State *L, Thread *t) {
  Tasks *tasks = (Tasks *)t->owner;
  PriorityEntry taken;
  while (next_task(L, tasks, &taken)) {
    future_run(L, (Future *)taken.slot.u.object);
    queue_free_taken(&tasks->queue, &taken);
  }
  return false;
}

static bool worker_starting (Thread *t) {
  Tasks *tasks = (Tasks *)t->owner;
  pthread_mutex_lock(&tasks->mu);
  tasks->alive++;
  pthread_mutex_unlock(&tasks->mu);
  return true;
}

static void worker_ended (Thread *t) {
  Tasks *tasks = (Tasks *)t->owner;
  Waiter *chain = NULL;
  pthread_mutex_lock(&tasks->mu);
  if (--tasks->alive == 0) chain = line_choose_all(&tasks->joiners);
  pthread_mutex_unlock(&tasks->mu);
  line_wake(chain);
}

/* Whether no worker is there to do what is in the queue, or to wait for. */
static bool has_none (Tasks *tasks, const int *count) {
  bool none;
  pthread_mutex_lock(&tasks->mu);
  none = *count == 0;
  pthread_mutex_unlock(&tasks->mu);
  return none;
}

static const Role worker_role = {.begin = work, .starting = worker_starting, .ended = worker_ended};

/* (pool, number) makes a worker and starts it. */
static int start_worker (lua_State *L) {
  Pool *p = args_inner(L, 1);
  Tasks *tasks = p->tasks;
  char name[64], full[96];
  Thread *t = thread_make(L, sizeof *t, &thread_kind);
  t->role = &worker_role;
  t->owner = &tasks->queue.object;
  object_keep(t->owner);
  t->daemon = false;
  snprintf(full, sizeof full, "%s_%d", object_name(&p->object, name), (int)lua_tointeger(L, 2));
  lua_pushstring(L, full);
  thread_rename(L, t, -1);
  lua_pop(L, 1);
  object_ready(L, -1);
  lua_replace(L, 1);
  lua_settop(L, 1);
  return thread_start(L);
}

/*
** Starts one more worker, if there may be one. False: it could not, and the reason is
** at the top. [0, +(0|1), memory]
*/
static bool add_worker (lua_State *L, Pool *p) {
  Tasks *tasks = p->tasks;
  int number;
  pthread_mutex_lock(&tasks->mu);
  number = tasks->active < p->most ? ++tasks->named : 0;
  if (number != 0) tasks->active++;
  pthread_mutex_unlock(&tasks->mu);
  if (number == 0) return true;
  lua_pushcfunction(L, start_worker);
  lua_pushlightuserdata(L, p);
  lua_pushinteger(L, number);
  if (lua_pcall(L, 2, 0, 0) == LUA_OK) return true;
  pthread_mutex_lock(&tasks->mu);
  tasks->active--;
  pthread_mutex_unlock(&tasks->mu);
  return false;
}

/*
** Tasks.
*/

/*
** Submits the call made of the n values from stack index `first` on; pushes its future.
** [0, +1, raises]
*/
static Future *submit (lua_State *L, Pool *p, int first, int n) {
  Future *f = future_new(L, first, n);
  Queue *q = &p->tasks->queue;
  Slot slot = {.tag = SLOT_OBJECT};
  QueueOutcome outcome;
  announce(L, OP_TRY_PUT, q);
  slot.u.object = (Object *)f;
  object_keep(slot.u.object);
  outcome = queue_put_item(L, q, &slot, NULL, 0);
  if (outcome != QUEUE_DONE) {
    slot_free(&slot);
    if (outcome != QUEUE_SHUT) args_no_memory(L);
    args_misuse(L, "cannot schedule new futures after shutdown");
  }
  if (queue_has_unclaimed(q) && !add_worker(L, p)) {
    if (has_none(p->tasks, &p->tasks->active)) {
      future_cancel(f);
      lua_error(L);
    }
    lua_pop(L, 1); /* the others will do it */
  }
  return f;
}

static void check_callable (lua_State *L, int arg) {
  if (!args_is_callable(L, arg)) luaL_typeerror(L, arg, "function");
}

/* submit(fn, ...): a Future. */
static int pool_submit (lua_State *L) {
  Pool *p = check_pool(L);
  check_callable(L, 2);
  submit(L, p, 2, lua_gettop(L) - 1);
  return 1;
}

/* Cancels the futures from number i on in the list at `list`. */
static void cancel_from (lua_State *L, int list, lua_Integer i, lua_Integer n) {
  for (; i <= n; i++) {
    Future *f;
    lua_rawgeti(L, list, i);
    f = object_check(L, -1, &future_kind);
    announce(L, OP_CANCEL, f);
    future_cancel(f);
    lua_pop(L, 1);
  }
}

/* map(fn, list): the first result for each, in order; the first error in that order is raised. */
static int pool_map (lua_State *L) {
  enum { FN = 2, LIST, FUTURES, RESULTS };
  Pool *p = check_pool(L);
  lua_Integer n;
  check_callable(L, FN);
  luaL_checktype(L, LIST, LUA_TTABLE);
  lua_settop(L, LIST);
  wait_allowed(L);
  n = luaL_len(L, LIST);
  lua_newtable(L);
  lua_newtable(L);
  for (lua_Integer i = 1; i <= n; i++) {
    lua_pushvalue(L, FN);
    lua_geti(L, LIST, i);
    submit(L, p, RESULTS + 1, 2);
    lua_rawseti(L, FUTURES, i);
    lua_settop(L, RESULTS);
  }
  for (lua_Integer i = 1; i <= n; i++) {
    Future *f;
    lua_rawgeti(L, FUTURES, i);
    f = object_check(L, -1, &future_kind);
    announce(L, OP_RESULT, f);
    if (future_wait(L, f, FOREVER) == WAKE_INTERRUPT) {
      cancel_from(L, FUTURES, i, n);
      thread_raise(L);
    }
    if (future_has_failed(f)) cancel_from(L, FUTURES, i + 1, n);
    if (future_push(L, f) > 0) lua_settop(L, RESULTS + 2);
    else lua_pushnil(L);
    lua_rawseti(L, RESULTS, i);
    lua_settop(L, RESULTS);
  }
  return 1;
}

/*
** Shutdown.
*/

/* What is in the closed queue will not be done, unless a worker comes first. */
static void cancel_pending (lua_State *L, Queue *q) {
  PriorityEntry taken;
  while (queue_get_item(L, q, &taken, 0) == QUEUE_DONE) {
    Future *f = (Future *)taken.slot.u.object;
    announce(L, OP_CANCEL, f);
    future_cancel(f);
    queue_free_taken(q, &taken);
    announce(L, OP_TRY_GET, q);
  }
}

/* Waits until the last worker has ended. [0, 0, raises] */
static void join_workers (lua_State *L, Pool *p) {
  Tasks *tasks = p->tasks;
  Waiter w;
  bool done;
  if (thread_self->owner == &tasks->queue.object)
    args_misuse(L, "cannot wait for a pool inside one of its tasks");
  wait_allowed(L);
  announce(L, OP_POOL_JOIN, p);
  waiter_init(&w, OP_POOL_JOIN, p, FOREVER);
  pthread_mutex_lock(&tasks->mu);
  done = tasks->alive == 0;
  if (!done) line_join(&tasks->joiners, &w);
  pthread_mutex_unlock(&tasks->mu);
  if (!done && line_wait(L, &w, &tasks->mu, FOREVER) == WAKE_INTERRUPT) thread_raise(L);
}

static void shut_down (lua_State *L, Pool *p, bool waits, bool cancels) {
  Queue *q = &p->tasks->queue;
  announce(L, OP_SHUTDOWN, q);
  queue_close(q, false);
  if (cancels) cancel_pending(L, q);
  if (waits) join_workers(L, p);
}

/* shutdown([wait=true [, cancel_pending]]) */
static int pool_shutdown (lua_State *L) {
  Pool *p = check_pool(L);
  shut_down(L, p, lua_isnoneornil(L, 2) || lua_toboolean(L, 2), lua_toboolean(L, 3));
  return 0;
}

static int pool_close (lua_State *L) {
  Pool *p = check_pool(L);
  shut_down(L, p, true, false);
  return 0;
}

static unsigned pool_ready (Object *o, const Thread *t) {
  (void)t;
  Tasks *tasks = ((Pool *)o)->tasks;
  return has_none(tasks, &tasks->alive) ? READY_DONE : 0;
}

static void pool_describe (lua_State *L, Object *o) {
  Tasks *tasks = ((Pool *)o)->tasks;
  int workers;
  pthread_mutex_lock(&tasks->mu);
  workers = tasks->active;
  pthread_mutex_unlock(&tasks->mu);
  lua_pushfstring(L, "%d of %d workers%s", workers, ((Pool *)o)->most,
                  atomic_load(&tasks->queue.shut) ? ", shut down" : "");
}

/* In a recording the pool is its queue, which lives longer. */
static void pool_recorded (const Object *o, RecordedFacts *facts) {
  facts->same = &((const Pool *)o)->tasks->queue.object;
}

static void pool_destroy (Object *o) {
  Tasks *tasks = ((Pool *)o)->tasks;
  if (tasks == NULL) return;
  queue_close(&tasks->queue, false);
  object_drop(&tasks->queue.object);
}

/* Pool([workers=cpu_count]) */
int pool_new (lua_State *L) {
  int n, options = object_options(L, 2, &n);
  lua_Integer most = sysconf(_SC_NPROCESSORS_ONLN);
  char name[64];
  Pool *p;
  if (n > 0) most = luaL_optinteger(L, 1, most);
  luaL_argcheck(L, most > 0, 1, "workers must be > 0");
  luaL_argcheck(L, most <= 10000, 1, "too many workers");
  p = object_begin(L, sizeof *p, &pool_kind, options);
  p->most = (int)most;
  thread_self->makes_pools = true;
  lua_createtable(L, 0, 1);
  lua_pushstring(L, object_name(&p->object, name));
  lua_setfield(L, -2, "name");
  p->tasks = (Tasks *)queue_make(L, sizeof *p->tasks, &queue_kind, lua_gettop(L), 0);
  p->tasks->queue.shown = &pool_kind;
  pthread_mutex_init(&p->tasks->mu, NULL);
  object_keep(&p->tasks->queue.object);
  lua_pop(L, 2); /* never ready: a finaliser that has seen the queue can do nothing with it */
  object_ready(L, -1);
  return 1;
}

static const luaL_Reg methods[] = {
    {"submit", pool_submit}, {"map", pool_map}, {"shutdown", pool_shutdown}, {NULL, NULL}};

static const luaL_Reg meta[] = {{"__close", pool_close}, {NULL, NULL}};

const Kind pool_kind = {.name = "Pool",
                        .destroy = pool_destroy,
                        .describe = pool_describe,
                        .methods = methods,
                        .meta = meta,
                        .ready = pool_ready,
                        .recorded = pool_recorded};
