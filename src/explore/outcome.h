/*
** outcome.h - how executions end: what went wrong, in groups of what is alike.
**
** A group is a table { kind, message, executions, schedule, preemptions, steps }. The
** groups of a search stand in one table: as a list, and each by kind and message.
*/
#ifndef EXPLORE_OUTCOME_H
#define EXPLORE_OUTCOME_H

#include "explore/state_graph.h"
#include "explore/world_subject.h"

/* An execution that stands at its end. */
typedef struct Explored {
  WorldSubject *world;
  const SimRequest *request;         /* NULL: the world runs a script */
  int length;                        /* steps that have led there, */
  int (*thread_at)(void *ud, int i); /* each of this thread */
  void *ud;
} Explored;

/*
** Puts the execution into its group in the table at `groups`; returns the number of that,
** from 1; 0: it has ended well. [0, 0, memory]
*/
int outcome_note (lua_State *L, int groups, const Explored *x);
/*
** Looks only at what the watch says of it; not whole: it has been cut, or goes on as others
** do. outcome_note does that as well.
*/
void outcome_watch (const Explored *x, bool whole);
/*
** Adds what the watch has found in all executions to the groups: { kind, executions, path,
** found: the numbers of the steps that make it up }. [0, 0, memory]
*/
void outcome_add_findings (lua_State *L, int groups, WorldSubject *w);
/* The same for one that did something else than the same steps did before. */
void outcome_note_straying (lua_State *L, int groups, const Explored *x, int step);

/*
** The same for a livelock, where the complete graph has one: { kind, executions, path, cycle:
** the number of the step from which on all can come again and again, doomed: nothing ends
** that any more }. Returns how many groups that adds.
** *stands: it would be one, but the clock can go on there, and does not. [0, 0, memory]
*/
int outcome_add_livelock (lua_State *L, int groups, WorldSubject *w, const StateGraph *g,
                          bool *stands);

/* Whether it has ended badly; nothing is noted. [0, 0, memory] */
bool outcome_fails (lua_State *L, const Explored *x);

/* Adds the group on top to those at `groups`, if there is none like it: true. [-1, 0, memory] */
bool outcome_add_group (lua_State *L, int groups);

/*
** Gives the group at the index the schedule of the run, whose turns from number `round` on
** come again. [0, 0, memory]
*/
void outcome_set_schedule (lua_State *L, int group, WorldSubject *w, size_t round);
#define NO_ROUND SIZE_MAX

/*
** Looks for the execution of the group on top with the fewest preemptions, and for the
** reason why it fails: two operations that depend on each other, all is well the other way
** round. Adds fewest: there is none with fewer; cause: { first, second }, numbers of steps,
** or { first, thread }, whose operation is still pending at the end. The complete graph, if
** there is one, knows the group by that number; else it takes so many steps at most.
** [0, 0, memory]
*/
void outcome_minimise (lua_State *L, const Explored *x, const StateGraph *graph, int number,
                       long steps);

/*
** Runs the execution of the group on top once more and adds what can be said of it:
** trace (a list of { thread, operation, kind, object, key, source, line }), output
** and, where threads are stuck, report. [0, 0, memory]
*/
void outcome_describe (lua_State *L, WorldSubject *w);

#endif
