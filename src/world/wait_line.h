/*
** wait_line.h - lines of waiters, and the one blocking protocol.
**
** A thread that must wait puts a Waiter into its object's line, under the
** object's mutex, and parks on its own spot. A waker takes the waiter out of the
** line (the waiter is then *chosen*), unlocks the mutex, and only then sets
** `woken` and unparks the thread. A waiter that times out or is interrupted takes
** itself out under the same mutex. If it has been chosen by then it counts as
** woken, and its deadline or interrupt waits: so a wake-up is either delivered or
** never given, and nothing that was handed over is lost.
**
**     pthread_mutex_lock(&sem->mu);
**     if (sem->value > 0) { sem->value--; ... }
**     waiter_init(&w, OP_DOWN, sem, deadline);
**     line_join(&sem->line, &w);                 // under mu
**     pthread_mutex_unlock(&sem->mu);
**     switch (line_wait(L, &w, &sem->mu, deadline)) {
**       case WAKE_CHOSEN: ...                    // what the waker has promised is ours
**       case WAKE_TIMEOUT: ...                   // out of the line, nothing was given
**       case WAKE_INTERRUPT: thread_raise(L);    // likewise; the interrupt is still pending
**     }
*/
#ifndef WORLD_WAIT_LINE_H
#define WORLD_WAIT_LINE_H

#include "world/world.h"

typedef struct Line {
  Waiter *first, *last; /* under the mutex of the object they belong to */
} Line;

/*
** One wait of one thread; on its C stack. It belongs to the thread before
** line_join and after line_wait, to the line in between.
*/
struct Waiter {
  Waiter *next, *previous; /* under the object's mutex; once chosen the waker's chain */
  Line *line;              /* under the object's mutex; NULL: not in line, or chosen */
  Spot *spot;              /* const while in line */
  Thread *thread;          /* const while in line */
  Object *object;          /* const while in line: what reports say the thread waits for */
  OpKind kind;             /* const while in line */
  bool forever;            /* const while in line: there is no deadline */
  bool deaf;               /* const while in line: an interrupt must not end this wait */
  bool recorded;           /* own: its beginning is in the recording */
  Nanos since;             /* own: when it stood in line, for the recording */
  /*
  ** Set last by the waker, outside the mutex. Once it is not 0 the Waiter is its
  ** owner's again, and the waker touches it no more: its memory may be gone.
  */
  atomic_int woken;
  /*
  ** The Waiter by which the thread goes on waiting in another line (line_moved); under
  ** the thread's mu.
  */
  const Waiter *moved;
  /* Called under the object's mutex where the deadline takes it out of the line; NULL: nothing is. */
  void (*late)(Waiter *w);
  void *payload; /* const while in line; what it points to is under the object's mutex */
  /*
  ** A select: the thread stands in several lines at once, and `counted` is shared by
  ** its waiters: whether one of those that chose it has counted it as awake. What a
  ** waker chooses such a waiter for is not handed over: the thread comes and takes it
  ** if it is still there. NULL: the thread stands in this line only. Const while in line.
  */
  atomic_int *counted;
  Object *shown; /* of a select: what it waits for in recordings; NULL: one of several */
};

/* What select must know of a kind; in Kind.select. Nothing here waits or calls Lua. */
typedef enum Selected { SELECT_NOTHING, SELECT_TAKEN, SELECT_SHUT } Selected;

struct PriorityEntry;
typedef struct Selectable {
  /* Takes what o has to give, if it is there: a queue's item into *taken. */
  Selected (*take)(lua_State *L, Object *o, struct PriorityEntry *taken);
  /*
  ** Sees to it that the waiter stands in o's line: at the end when it comes `first`,
  ** at the head after it has been woken and was too late. False: it has been chosen,
  ** and `woken` is not set yet.
  */
  bool (*enlist)(Object *o, Waiter *w, bool first);
  /*
  ** Takes the waiter out for good. Where it had been chosen, another may get what
  ** it has not taken. False: as above; the waiter must stay until `woken` is set.
  */
  bool (*withdraw)(Object *o, Waiter *w);
} Selectable;

typedef enum Wake { WAKE_CHOSEN = 1, WAKE_TIMEOUT, WAKE_INTERRUPT } Wake;

/* Raises where the running thread must not wait: inside sync.update's function. [0, 0, raises] */
void wait_allowed (lua_State *L);

/* Whether one of the n has been woken. */
bool line_any_woken (Waiter *const *list, int n);

/* Prepares a waiter of the running thread. */
void waiter_init (Waiter *w, OpKind kind, void *object, Nanos deadline);

/* Puts the waiter at the end; under the object's mutex. */
void line_join (Line *line, Waiter *w);
/* Puts it at the head, after a lost race; under the object's mutex. */
void line_rejoin (Line *line, Waiter *w);
/* Takes it out, not chosen; under the object's mutex. */
void line_leave (Waiter *w);

/*
** Parks until the waiter is chosen, its deadline or an interrupt. `mu` is not held
** before or after; the waiter is out of its line after. WAKE_INTERRUPT leaves the
** interrupt pending: the caller cleans up, then calls thread_raise. [0, 0, -]
*/
Wake line_wait (lua_State *L, Waiter *w, pthread_mutex_t *mu, Nanos deadline);

/* Records that the wait has begun; line_wait does it otherwise. */
void line_record_wait (Waiter *w, Nanos deadline);

/* Whether an interrupt is about to take the waiter out of its line; under the object's mutex. */
bool waiter_is_leaving (const Waiter *w);

/*
** The same for n waiters that share `counted`, in the lines of n objects, until one
** is chosen. They stay where they are: see objects/select.c. With `sure` false one
** has been chosen already, and the thread counts as awake. [0, 0, -]
*/
Wake line_wait_any (lua_State *L, Waiter *const *list, int n, Nanos deadline, bool sure);

/*
** For Selectable: joins, rejoins or leaves a line that wakes all at once; under the
** object's mutex.
*/
bool line_enlist (Line *line, Waiter *w, bool first);
/*
** The thread of several waiters goes on: it counts as awake once, whether one that
** chose it has counted it or not. `asleep`: it had counted itself as not awake.
*/
void line_count_awake (Waiter *w, bool asleep);
/* Parks until the waker of a chosen waiter has let go of it. */
void line_wait_woken (Waiter *w);

/*
** Choosing which to wake; under the object's mutex. Waiters with a pending
** interrupt are skipped: they are about to leave the line, and what they were
** handed would be lost when the interrupt is raised. Hand the chosen ones to
** line_wake after unlocking.
*/
/* The first that can be chosen, left in line; NULL: none. */
Waiter *line_first (Line *line);
/* Chooses that one: out of the line. */
void line_pick (Waiter *w);
/* line_first and line_pick at once. */
Waiter *line_choose (Line *line);
/* All that can be chosen, out of the line and chained by `next`. */
Waiter *line_choose_all (Line *line);
/*
** The thread of a chosen waiter goes on waiting, as `next` in another line: it is
** not counted as awake, and reports say what it waits for now.
*/
void line_moved (Waiter *w, const Waiter *next);
/* Wakes a chain of chosen waiters; no mutex held. */
void line_wake (Waiter *chain);

/*
** Stops the caller until no other thread of a world whose threads do not run at
** the same time can go on before some time passes: WAKE_CHOSEN. [0, 0, -]
*/
Wake world_settle (lua_State *L, Nanos deadline);

/* Stops the caller until the deadline; WAKE_TIMEOUT or WAKE_INTERRUPT. */
Wake world_sleep (lua_State *L, Nanos deadline);

#endif
