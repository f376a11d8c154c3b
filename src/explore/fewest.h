/*
** fewest.h - in a complete graph of states: the execution with the fewest preemptions.
*/
#ifndef EXPLORE_FEWEST_H
#define EXPLORE_FEWEST_H

#include "explore/minimise.h"
#include "explore/state_graph.h"

/*
** Writes the shortest of the executions with the fewest preemptions among all that end in
** that outcome. False: there is none, it has more than MINIMISE_STEPS steps, the graph is
** too large, or there is no memory; *path stays.
*/
bool fewest_path (const StateGraph *g, int outcome, Path *path);

#endif
