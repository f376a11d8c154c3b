/*
** watch.h - what can be said against an execution beside how it ends.
**
**   race          two accesses to a key, one a write, that no synchronisation orders; or
**                 a look at a table that a lock keeps apart from the first write to it,
**                 but nothing orders
**   lost update   a read, a write by another thread, a write by the first one to the same
**                 key, where the first one cannot have known of the other
**   lost wake-up  a wait that looks at nothing first, and a notify that nothing orders
**
** A search tells each step; it may go back to an earlier one and go on from there.
** Threads, objects and keys have the numbers of the search. Nothing here knows Lua or
** a world.
*/
#ifndef EXPLORE_WATCH_H
#define EXPLORE_WATCH_H

#include "world/op.h"

/* A step of an execution; objects count from 1. */
typedef struct WatchedStep {
  int thread;
  uint32_t self; /* the thread as an object */
  OpKind kind;
  uint32_t object, second;
  uint32_t part;   /* of a key; 0: there is none */
  bool removes;    /* a write of nil */
  bool keys;       /* a write by which a key appears or vanishes */
  bool empty;      /* the table has no key at all */
  bool patient;    /* it waits for ever if it must */
  bool tries;      /* it does not wait at all */
  uint32_t *among; /* of a select; owned by the caller */
  int among_count;
} WatchedStep;

typedef enum FoundKind {
  FOUND_LOST_UPDATE,
  FOUND_LOST_WAKEUP,
  FOUND_RACE,
  FOUND_UNORDERED
} FoundKind;

typedef struct Found {
  FoundKind kind;
  uint32_t object, part;
  int steps[3]; /* those that make it up, in order, from 0; -1: no third one */
  int depth;    /* the steps after which it was found */
} Found;

typedef struct Watch Watch;

Watch *watch_new (void); /* NULL: no memory */
void watch_free (Watch *w);

/* The step that comes after `depth` others is about to take effect; what was told beyond is forgotten. */
void watch_step (Watch *w, int depth, const WatchedStep *s);
/* It has, and has started or woken these threads, a bit each. */
void watch_stepped (Watch *w, uint64_t woken);
/* The clock has gone on instead. */
void watch_clock (Watch *w, int depth);

/*
** The execution stands at its end after `depth` steps: how many things there are to say, and
** each. What a thread never does is said only where it is whole.
*/
int watch_end (Watch *w, int depth, bool whole);
const Found *watch_found (const Watch *w, int i);

#endif
