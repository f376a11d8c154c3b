/*
** minimise.h - a failing execution made simple, and what makes it fail.
*/
#ifndef EXPLORE_MINIMISE_H
#define EXPLORE_MINIMISE_H

#include "explore/subject.h"

#define MINIMISE_STEPS 300 /* of an execution that is looked at */

/* The state the subject stands in, as 128 bits; false: it has none. */
typedef bool (*MinimiseKey)(void *ud, uint64_t key[2]);

/* An execution: the thread of each step; room for MINIMISE_STEPS of them at least. */
typedef struct Path {
  uint8_t *threads;
  int length;
} Path;

/* What is asked where the subject stands at an end. */
typedef bool (*EndCheck)(void *ud);

/*
** Looks for an execution of the same end with fewer preemptions: all with none, then all
** with one, and so on; but for those each thread goes on as long as it can. What comes
** after a state is looked at once. True: *path is the simplest there is, whether it is a
** new one or not. False: that would take more than `steps`; *path stays.
*/
bool minimise_path (const Subject *s, MinimiseKey key, long steps, Path *path, EndCheck is_same,
                    void *ud);

/*
** Whether the next step, of that thread, takes the turn from *last, which could go on; *last is whose
** turn it is from then on. Starts, joins and ends, where they change places with all else, take nobody's.
*/
bool minimise_preempts (const Subject *s, int thread, int *last);

/*
** Searches do starts, joins and ends at once, as these change places with all else. Here they
** come behind what a thread does that can go on: the execution stays the same, with fewer
** switches.
*/
void minimise_switches (const Subject *s, Path *path);

/* Two operations that depend on each other; the other way round all is well. */
typedef struct Cause {
  int first;  /* the step of the first one */
  int second; /* of the second one; -1: it has not come to it, */
  int thread; /* the one of this thread, pending at the end */
} Cause;

/* Reverses each race of the execution until one passes; false: none does, or there is no memory. */
bool minimise_cause (const Subject *s, const Path *path, EndCheck is_well, void *ud, Cause *cause);

#endif
