/*
** graph_watch.h - what watch.c says of one execution, said of all that a graph of states
** stands for: which keys are raced for, and which updates are lost.
**
** The graph keeps one path to each state, but a race is between two steps of one path,
** whatever leads to the first. Two things make that cheap:
**
**   where no state has two steps that race side by side, no path has a race: the steps
**   that happen before the first race of a path lead to such a state (all before it is
**   ordered, so it comes to the same in any order that keeps it)
**
**   otherwise who knows of one access is a set of threads and of objects that pass it on,
**   and each step makes one set of another; a walk through pairs of state and set meets
**   whatever can come after the access
*/
#ifndef EXPLORE_GRAPH_WATCH_H
#define EXPLORE_GRAPH_WATCH_H

#include "explore/deeds.h"
#include "explore/findings.h"
#include "explore/state_graph.h"

/*
** Adds to the findings what is not among them yet. The graph is complete. False: no
** memory. Where there is too much to walk through, races besides the first ones and lost
** updates may be missing; whether there is a race at all is known in any case.
*/
bool graph_watch (const StateGraph *g, const Deeds *deeds, Findings *findings);

#endif
