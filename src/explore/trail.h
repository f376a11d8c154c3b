/*
** trail.h - the places on its way that a search can put a world back to.
**
** There are few, so that they stay in the processor's cache: where many steps had to be
** done again there comes a new one half-way, and those beyond where the search goes back to
** are gone.
*/
#ifndef EXPLORE_TRAIL_H
#define EXPLORE_TRAIL_H

#include "sim/checkpoint.h"
#include "sim/request.h"

#define TRAIL_POINTS 24

typedef struct TrailPoint {
  int depth;
  Checkpoint *checkpoint;
  bool failed;      /* what the request had come to, which lies outside the world */
  Message *outcome; /* kept */
} TrailPoint;

typedef struct Trail {
  TrailPoint points[TRAIL_POINTS];
  int count;
  int target; /* one is due at this depth; -1: none */
} Trail;

/* What the request has come to; of the outcome one is kept. NULL: there is no request. */
void trail_set_outcome (SimRequest *r, bool failed, Message *outcome);

/* The search can go back to where it stands, after `depth` steps, if there is memory for that. */
void trail_add (Trail *t, Sim *sim, const SimRequest *r, int depth);
/* A step has been done. */
void trail_note (Trail *t, Sim *sim, const SimRequest *r, int depth);
/* Forgets what lies beyond that depth. */
void trail_drop (Trail *t, int depth);
/* Puts the world back to the last place and says which depth that is; -1: there is none. */
int trail_go_back (Trail *t, Sim *sim, SimRequest *r, int depth);

#endif
