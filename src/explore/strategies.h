/*
** strategies.h - schedules drawn at random: quick to find what is not rare.
**
**   random  every thread that can go is as likely as the others
**   pct     random priorities that change at two random steps (Burckhardt et al., ASPLOS 2010)
**   pos     random priorities for operations; one that races with what was done draws anew (Yuan et al., CAV 2018)
**   urw     as likely as a thread has operations left, by the run before: every interleaving is about as likely
*/
#ifndef EXPLORE_STRATEGIES_H
#define EXPLORE_STRATEGIES_H

#include "explore/subject.h"

typedef enum Strategy {
  STRATEGY_RANDOM,
  STRATEGY_PCT,
  STRATEGY_POS,
  STRATEGY_URW,
  STRATEGIES
} Strategy;

#define STRATEGY_STEPS 10000 /* of a run, at most */

/* All zero but the seed at first. */
typedef struct Drawing {
  uint64_t seed;
  int steps;                    /* of the last run, */
  uint8_t path[STRATEGY_STEPS]; /* and each one's thread */
  int length;                   /* steps of the longest run so far */
  int counts[HISTORY_THREADS];  /* steps of each thread in the last run */
  History *history;             /* of the last run; NULL: nobody asks */
  double weight;                /* how many schedules there are, if all are like the last run */
} Drawing;

typedef enum DrawEnd { DRAW_LEAF, DRAW_CUT, DRAW_BROKEN } DrawEnd;

void drawing_free (Drawing *d);

/* Runs the subject from its beginning to an end. */
DrawEnd strategy_run (const Subject *s, Strategy strategy, Drawing *d);

#endif
