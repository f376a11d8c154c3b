/*
** select.c - sync.select: waits until one of several objects can be taken, and
** takes exactly that one.
**
** The thread stands in the lines of all of them at once, with a waiter in each. A
** waker that chooses one of these hands nothing over: it says that there may be
** something, and the thread comes and takes it as any other would. So nothing is
** ever given to a thread that takes something else, and no lock over several objects
** is needed. What was chosen for and not taken is offered to the next in that line
** when the waiters are withdrawn; what a thread came too late for leaves it at the
** head of that line.
**
** Between objects that are ready at once the choice goes round, so that none is
** starved. Where threads do not run at the same time the first of the list is taken:
** a simulated run depends on nothing but its schedule.
*/
#include "message/message.h"
#include "objects/kinds.h"
#include "objects/lock.h"
#include "objects/queue/queue.h"
#include "objects/select.h"
#include "thread/thread.h"
#include "world/args.h"
#include "world/record.h"

#define CHOICES_MOST 10000

/* One object of the list; kept alive by its proxy in a table on the stack. */
typedef struct Choice {
  LockWaiter waiter; /* what a Lock needs will do for all */
  Object *object;
} Choice;

typedef struct Selection {
  int n;
  Nanos deadline;
  atomic_int counted; /* of all waiters */
  Choice *choices;
  Waiter **waiters; /* those of the choices */
} Selection;

/* Room for n choices, zeroed or not, which set_choice fills in. */
static void prepare (Selection *s, int n, Nanos deadline, Choice *choices, Waiter **waiters) {
  s->n = n;
  s->deadline = deadline;
  atomic_init(&s->counted, 0);
  s->choices = choices;
  s->waiters = waiters;
}

static void set_choice (Selection *s, int i, Object *o) {
  Choice *c = &s->choices[i];
  c->object = o;
  lock_waiter_init(&c->waiter, OP_SELECT, (Lock *)o, s->deadline);
  c->waiter.waiter.counted = &s->counted;
  s->waiters[i] = &c->waiter.waiter;
}

/* Fills *s from the list at 1, whose objects it keeps in a table. [0, +2, raises] */
static void read_list (lua_State *L, Selection *s, Nanos deadline) {
  lua_Integer n = luaL_len(L, 1);
  Choice *choices;
  luaL_argcheck(L, n > 0, 1, "the list is empty");
  luaL_argcheck(L, n <= CHOICES_MOST, 1, "the list is too long");
  lua_createtable(L, (int)n, 0);
  choices = lua_newuserdatauv(L, (size_t)n * (sizeof *choices + sizeof(Waiter *)), 0);
  prepare(s, (int)n, deadline, choices, (Waiter **)(choices + n));
  for (int i = 0; i < s->n; i++) {
    Object *o;
    lua_geti(L, 1, i + 1);
    o = object_any(L, -1);
    if (o == NULL || o->kind->select == NULL)
      luaL_argerror(L, 1,
                    lua_pushfstring(L, "cannot select a %s (at [%d])",
                                    o != NULL ? o->kind->name : luaL_typename(L, -1), i + 1));
    if (o == &thread_self->object) luaL_argerror(L, 1, "cannot select the current thread");
    set_choice(s, i, o);
    lua_rawseti(L, -3, i + 1);
  }
}

/* Takes the first that has something, beginning where it is fair; its index, or -1. */
static int take_any (lua_State *L, Selection *s, PriorityEntry *taken, Selected *how) {
  static _Thread_local unsigned turns;
  unsigned begin = world_is_parallel(thread_self->object.world) ? turns++ : 0;
  for (int k = 0; k < s->n; k++) {
    int i = (int)((begin + (unsigned)k) % (unsigned)s->n);
    Object *o = s->choices[i].object;
    *how = o->kind->select->take(L, o, taken);
    if (*how != SELECT_NOTHING) return i;
  }
  return -1;
}

/* Stands in all lines; false: some waiter has been chosen meanwhile. */
static bool enlist_all (Selection *s, bool first) {
  bool sure = true;
  atomic_store(&s->counted, 0); /* those that choose from now on count the thread as awake */
  for (int i = 0; i < s->n; i++) {
    Object *o = s->choices[i].object;
    if (!o->kind->select->enlist(o, s->waiters[i], first)) sure = false;
  }
  return sure;
}

static void withdraw_all (Selection *s) {
  for (int i = 0; i < s->n; i++) {
    Object *o = s->choices[i].object;
    if (!o->kind->select->withdraw(o, s->waiters[i])) line_wait_woken(s->waiters[i]);
  }
}

/*
** Waits until one has been taken; its index, or -1: the time ran out. Raises a pending
** interrupt.
*/
static int wait (lua_State *L, Selection *s, PriorityEntry *item, Selected *how) {
  Wake wake = WAKE_CHOSEN;
  bool first = true, sure;
  int taken;
  do {
    sure = enlist_all(s, first);
    first = false;
    taken = take_any(L, s, item, how);
    if (taken >= 0 || wake == WAKE_TIMEOUT) {
      line_count_awake(s->waiters[0], false);
      break;
    }
    wake = line_wait_any(L, s->waiters, s->n, s->deadline, sure);
  } while (wake != WAKE_INTERRUPT);
  withdraw_all(s);
  if (taken < 0 && wake == WAKE_INTERRUPT) thread_raise(L);
  return taken;
}

/* The queue that the object with index i is, or NULL. */
static Queue *queue_at (const Selection *s, int i) {
  Object *o = s->choices[i].object;
  return o->kind->select == &queue_select ? (Queue *)o : NULL;
}

/* Pushes what was taken of the object with index i. [0, +n, raises] */
static int push_taken (lua_State *L, const Selection *s, int i, PriorityEntry *taken,
                       Selected how) {
  Queue *q = queue_at(s, i);
  lua_pushinteger(L, i + 1);
  if (how == SELECT_SHUT) {
    lua_pushnil(L);
    lua_pushliteral(L, "shutdown");
    return 3;
  }
  if (q != NULL) queue_push_taken(L, q, taken);
  else lua_pushboolean(L, 1);
  return 2;
}

/* Announces, takes, waits: the index, or -1 when the time has run out. [0, 0, raises] */
static int run (lua_State *L, Selection *s, PriorityEntry *taken, Selected *how) {
  int i;
  *taken = (PriorityEntry){.order = 0}; /* whole: a search compares stacks */
  if (world_is_observed())
    world_announce(&(Op){.kind = OP_SELECT,
                         .object = s->choices[0].object,
                         .among = s->waiters,
                         .among_count = s->n,
                         .deaf = s->waiters[0]->deaf,
                         .until = s->deadline,
                         .L = L});
  i = take_any(L, s, taken, how);
  if (i < 0 && s->deadline != 0) {
    wait_allowed(L);
    i = wait(L, s, taken, how);
  }
  if (s->waiters[0]->shown == NULL) record(OP_SELECT, NULL, i + 1, 0);
  return i;
}

void select_wait (lua_State *L, Nanos deadline) {
  Selection s;
  PriorityEntry taken;
  Selected how;
  int i;
  read_list(L, &s, deadline);
  i = run(L, &s, &taken, &how);
  if (i >= 0 && how == SELECT_TAKEN && queue_at(&s, i) != NULL)
    queue_free_taken(queue_at(&s, i), &taken);
  lua_pop(L, 2);
}

int select_of_two (lua_State *L, Object *a, Object *b, PriorityEntry *taken, Selected *how) {
  Choice choices[2];
  Waiter *waiters[2];
  Selection s;
  prepare(&s, 2, FOREVER, choices, waiters);
  set_choice(&s, 0, a);
  set_choice(&s, 1, b);
  waiters[0]->deaf = waiters[1]->deaf = true;
  waiters[0]->shown = waiters[1]->shown = a;
  return run(L, &s, taken, how);
}

/* select(list [, timeout]): index, value; or nil, "timeout". */
int select_from (lua_State *L) {
  Selection s;
  PriorityEntry taken;
  Selected how;
  Nanos relative;
  int i;
  luaL_checktype(L, 1, LUA_TTABLE);
  relative = args_timeout(L, 2);
  lua_settop(L, 2);
  read_list(L, &s, relative == 0 ? 0 : world_deadline(thread_self->object.world, relative));
  i = run(L, &s, &taken, &how);
  if (i >= 0) return push_taken(L, &s, i, &taken, how);
  lua_pushnil(L);
  lua_pushliteral(L, "timeout");
  return 2;
}
