/*
** livelock.h - in a complete graph of states: a round that threads can go for ever, although
** each of them gets its turns.
**
** A scheduler is fair where a thread that could go again and again does go again and again.
** So a loop that waits for a flag is no livelock while another thread is about to set it: a
** fair scheduler lets that one go, and the loop is left. A livelock is a round through some
** states in which every thread that can do a step in one of them does one.
*/
#ifndef EXPLORE_LIVELOCK_H
#define EXPLORE_LIVELOCK_H

#include "explore/deeds.h"
#include "explore/state_graph.h"

/* A way into a round, and the round: the thread of each step. */
typedef struct Livelock {
  char *path;
  int length;
  int first;   /* the step that the round begins with, from 0 */
  bool doomed; /* from there no step leads to an end */
} Livelock;

/*
** Looks for one, the shortest way into it first; false: there is none, or no memory. Where
** no execution of the program ends, it may be meant so: then only a round in which every
** step is a look is one. rejects(ud, l): what else keeps it from being one, the clock for
** instance. The caller frees the path.
*/
bool livelock_find (const StateGraph *g, const Deeds *deeds,
                    bool (*rejects)(void *ud, const Livelock *l), void *ud, Livelock *l);

#endif
