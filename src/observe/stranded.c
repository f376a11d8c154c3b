/*
** stranded.c - threads that wait for what nobody can do any more, while others go on.
**
** Only who can reach an object can wake a thread that waits for it. A thread that has
** waited for a while says what its state has proxies of; as it stands still, that stays
** so. A wait is hopeless if all references to its object come from the states of threads
** whose waits are hopeless as well, or if it is for the end of such a thread. That set is
** found by taking all threads that have said so, and striking out whoever waits for an
** object with some other reference, until nobody is left to strike out. A select is
** hopeless if it is so for each of its objects.
**
** Nothing is told that may be wrong. What is not known counts as a reference from
** outside: messages, queues and tables that hold the object, states of threads that
** run, garbage that has not been collected. All references were seen at one time: a
** count is read before the others are looked at and once more after it (counted.h), and
** no thread leaves the list, whose mutex is held, or has been woken by then. A thread
** that wakes another has a reference until it has set `woken`.
**
** Waits in a circle are told by deadlock.c, which looks whenever this does.
*/
#include <stdlib.h>
#include <string.h>

#include "observe/deadlock.h"
#include "observe/dump.h"
#include "observe/stranded.h"
#include "thread/thread.h"

#define SECOND ((Nanos)NANOS)
#define FIRST_LOOK (SECOND / 5) /* how long a thread waits before it looks */
#define LONGEST_PAUSE (60 * SECOND)
#define GROWTH 5  /* of the pause between two looks */
#define SHARE 50  /* of the time, at most one in so many goes into looking */
#define ROUNDS 30 /* in which threads are struck out; what takes more is given up */
#define MANY 20   /* threads are named in one report */

/* A wait; on the stack of its thread, in the list while that stands still. */
typedef struct Stuck {
  struct Stuck *next, **link; /* under mu */
  Thread *thread;
  Waiter *const *waiters; /* one, or those of a select */
  int n;                  /* of them */
  Object **reached;       /* what its state has proxies of */
  int count;
  bool told;
  /* of the look that goes on, under mu */
  Object *object;  /* the first; NULL: not to be told of, or struck out */
  uint64_t *words; /* for each object */
} Stuck;

typedef struct Look {
  Object **reached; /* by all that are not struck out, sorted */
  size_t count;
} Look;

static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
static Stuck *first; /* under mu */
static Nanos due;    /* when a look is worth its time again; under mu */

static bool is_over (const Stuck *s) {
  return line_any_woken(s->waiters, s->n) || (atomic_load(&s->thread->alerts) & ALERT_RAISES) != 0;
}

static bool is_select (const Stuck *s) { return s->waiters[0]->counted != NULL; }

/* What it waits for in line number i. */
static Object *object_at (const Stuck *s, int i) {
  return i == 0 ? s->object : (Object *)s->waiters[i]->object;
}

/*
** Striking out.
*/

/*
** What the thread waits for, without a deadline, a select first of all; NULL: nothing
** that counts. A scope interrupts its threads when one of them fails. The workers of a
** pool end its shutdown, and have no reference to it.
*/
static Object *awaited_by (Stuck *s) {
  Thread *t = s->thread;
  Object *o = NULL;
  pthread_mutex_lock(&t->mu);
  if (t->blocked.active && t->blocked.until == FOREVER && t->blocked.kind != OP_REACQUIRE
      && t->blocked.kind != OP_POOL_JOIN && t->among == (is_select(s) ? s->waiters : NULL)
      && (t->owner == NULL || t->owner->kind != &scope_kind) && !is_over(s))
    o = is_select(s) ? s->waiters[0]->object : t->blocked.object;
  pthread_mutex_unlock(&t->mu);
  return o;
}

static bool is_thread (const Object *o) {
  return o->kind == &thread_kind || o->kind->base == &thread_kind;
}

static Stuck *stuck_thread (const Object *o) {
  Stuck *s = first;
  while (s != NULL && (&s->thread->object != o || s->object == NULL)) s = s->next;
  return s;
}

static int by_address (const void *one, const void *other) {
  uintptr_t a = (uintptr_t) * (Object *const *)one, b = (uintptr_t) * (Object *const *)other;
  return a < b ? -1 : a > b;
}

/* Puts together what those reach that are not struck out; false: no memory. */
static bool gather (Look *look) {
  size_t room = 1;
  for (Stuck *s = first; s != NULL; s = s->next) room += (size_t)s->count;
  free(look->reached);
  look->reached = malloc(room * sizeof *look->reached);
  look->count = 0;
  if (look->reached == NULL) return false;
  for (Stuck *s = first; s != NULL; s = s->next) {
    if (s->object == NULL) continue;
    memcpy(look->reached + look->count, s->reached, (size_t)s->count * sizeof *s->reached);
    look->count += (size_t)s->count;
  }
  qsort(look->reached, look->count, sizeof *look->reached, by_address);
  return true;
}

/* How many of the states have a proxy of o. */
static uint32_t states_with (const Look *look, const Object *o) {
  size_t low = 0, high = look->count, end;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if ((uintptr_t)look->reached[middle] < (uintptr_t)o) low = middle + 1;
    else high = middle;
  }
  for (end = low; end < look->count && look->reached[end] == o; end++) continue;
  return (uint32_t)(end - low);
}

static bool is_hopeless (const Look *look, const Stuck *s) {
  for (int i = 0; i < s->n; i++) {
    const Object *o = object_at(s, i);
    if (is_thread(o) ? stuck_thread(o) == NULL : (uint32_t)s->words[i] != states_with(look, o))
      return false;
  }
  return true;
}

/* Strikes out whoever may go on; false: that is not done in time. Under mu. */
static bool strike_out (Look *look) {
  bool struck = true;
  for (Stuck *s = first; s != NULL; s = s->next) {
    s->object = awaited_by(s);
    for (int i = 0; s->object != NULL && i < s->n; i++)
      s->words[i] = atomic_load(&object_at(s, i)->counted.word);
  }
  for (int i = 0; struck; i++) {
    if (i == ROUNDS || !gather(look)) return false;
    struck = false;
    for (Stuck *s = first; s != NULL; s = s->next)
      if (s->object != NULL && !is_hopeless(look, s)) {
        s->object = NULL;
        struck = true;
      }
  }
  return true;
}

/* Whether nothing has moved since the counts were read. */
static bool stood_still (void) {
  for (Stuck *s = first; s != NULL; s = s->next) {
    if (s->object == NULL) continue;
    if (awaited_by(s) != s->object) return false;
    for (int i = 0; i < s->n; i++)
      if (atomic_load(&object_at(s, i)->counted.word) != s->words[i]) return false;
  }
  return true;
}

/* The wait of the thread that has what s waits for, where that is hopeless, too; or NULL. */
static Stuck *holder_of (const Stuck *s) {
  bool held = !is_select(s) && s->object->kind->awaited != NULL;
  uint64_t serial = held ? s->object->kind->awaited(s->object) : 0;
  Stuck *holder = serial != 0 ? first : NULL;
  while (holder != NULL && (holder->object == NULL || holder->thread->serial != serial))
    holder = holder->next;
  return holder;
}

/* Whether the wait leads into a circle of several. */
static bool leads_to_circle (const Stuck *s) {
  for (int n = 0; n < 1000; n++) {
    const Stuck *holder = holder_of(s);
    if (holder == NULL || holder == s) return false;
    s = holder;
  }
  return true;
}

/* Fills in the serials of the threads that are to be told of now; returns how many. Under mu. */
static int find (uint64_t found[MANY]) {
  Look look = {NULL, 0};
  int n = 0;
  if (strike_out(&look) && stood_still())
    for (Stuck *s = first; s != NULL && n < MANY; s = s->next)
      if (s->object != NULL && !s->told && !leads_to_circle(s)) {
        s->told = true;
        found[n++] = s->thread->serial;
      }
  free(look.reached);
  return n;
}

/*
** Waiting.
*/

static void tell (World *world, const uint64_t *serials, int n) {
  char list[MANY * 24], *text;
  size_t length = 0;
  for (int i = 0; i < n; i++)
    length += (size_t)snprintf(list + length, sizeof list - length, "%llu ",
                               (unsigned long long)serials[i]);
  text = dump_report(world, "stranded", list);
  if (text != NULL) world->driver->write(world, 2, text, strlen(text));
  free(text);
}

/* One look at all, unless there has been one a moment ago. */
static void look (World *world) {
  uint64_t found[MANY];
  Nanos start = world_now(world);
  int n = 0;
  pthread_mutex_lock(&mu);
  if (start >= due) {
    n = find(found);
    due = world_now(world) + SHARE * (world_now(world) - start);
  }
  pthread_mutex_unlock(&mu);
  if (n > 0) tell(world, found, n);
}

/* Whether so few have references that all of them may be threads that wait. */
static bool may_be_hopeless (World *world, const Stuck *s) {
  int alive;
  pthread_mutex_lock(&world->mu);
  alive = world->alive;
  pthread_mutex_unlock(&world->mu);
  for (int i = 0; i < s->n; i++) {
    const Object *o = s->waiters[i]->object;
    if (!is_thread(o) && counted_refs(&o->counted) > (uint32_t)alive) return false;
  }
  return true;
}

/* Says what the thread's state reaches; false: no memory. */
static bool enter (Stuck *s) {
  lua_State *L = s->thread->blocked.in;
  s->count = object_list(L, NULL, 0);
  s->reached = malloc(((size_t)s->count + 1) * sizeof *s->reached);
  s->words = calloc((size_t)s->n, sizeof *s->words);
  if (s->reached == NULL || s->words == NULL) return false;
  s->count = object_list(L, s->reached, s->count);
  pthread_mutex_lock(&mu);
  s->next = first;
  s->link = &first;
  if (first != NULL) first->link = &s->next;
  first = s;
  pthread_mutex_unlock(&mu);
  return true;
}

static void leave (Stuck *s) {
  pthread_mutex_lock(&mu);
  *s->link = s->next;
  if (s->next != NULL) s->next->link = s->link;
  pthread_mutex_unlock(&mu);
}

static void park_for (const Stuck *s, Nanos pause) {
  World *world = s->thread->object.world;
  Nanos until = world_now(world) + pause;
  while (!is_over(s) && world_now(world) < until) world->driver->park(s->thread, until);
}

void stranded_wait (Thread *self, Waiter *const *waiters, int n) {
  World *world = self->object.world;
  Stuck s = {.thread = self, .waiters = waiters, .n = n};
  Nanos pause = SECOND;
  bool entered = !is_over(&s) && enter(&s);
  while (entered && !is_over(&s)) {
    if (may_be_hopeless(world, &s)) look(world);
    park_for(&s, pause);
    if (pause < LONGEST_PAUSE) pause *= GROWTH;
    if (!is_over(&s)) deadlock_warn(self);
  }
  if (entered) leave(&s);
  free(s.reached);
  free(s.words);
}
