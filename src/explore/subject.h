/*
** subject.h - what a search moves: a program that stands still between operations
** and can be asked, let go one step, and put back.
**
** The simulated driver is one (explore/world_subject.c); tests have small models.
*/
#ifndef EXPLORE_SUBJECT_H
#define EXPLORE_SUBJECT_H

#include "explore/history.h"

/* The operation in front of which a thread is held. */
typedef struct Peek {
  uint32_t footprint;
  bool enabled; /* it can take effect now */
  bool late;    /* its deadline has passed, or it is interrupted: it needs nothing */
  bool silent;  /* see Event */
} Peek;

/* What a step has brought about beside its own operation. */
typedef struct Effects {
  int count;
  uint8_t threads[HISTORY_THREADS]; /* started or woken by it */
} Effects;

typedef struct Subject {
  void *ud;
  Footprints *footprints;
  /*
  ** How many threads there have been in this execution; they keep their numbers in all
  ** executions.
  */
  int (*threads)(void *ud);
  /*
  ** False: the thread has no pending operation: it has ended, has not begun, or stands
  ** in a line.
  */
  bool (*peek)(void *ud, int thread, Peek *p);
  /* The state of the objects of a pending operation, one for each access. */
  void (*ready)(void *ud, int thread, Ready *ready);
  /*
  ** Lets the thread do its pending operation and go on to the next one. False: the run
  ** cannot go on (see the subject). A step that is done again has no effects.
  */
  bool (*step)(void *ud, int thread, Effects *effects);
  /*
  ** Puts the program back to where it stood after `depth` steps, or less: returns after
  ** how many; those that lack are to be done again. -1: it cannot.
  */
  int (*rewind)(void *ud, int depth);
} Subject;

/* The operation in front of which the thread stands at the end. *ready is for the state of its objects. */
static inline Pending subject_pending (const Subject *s, int thread, const Peek *p, Ready *ready) {
  s->ready(s->ud, thread, ready);
  return (Pending){thread, p->footprint, p->late, ready};
}

#endif
