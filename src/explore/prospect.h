/*
** prospect.h - what can still come of each state of a complete graph: how likely a random
** schedule fails from there, and whether all do.
*/
#ifndef EXPLORE_PROSPECT_H
#define EXPLORE_PROSPECT_H

#include "explore/state_graph.h"

typedef struct Prospect Prospect;

/* The graph is whole, and outlives it. NULL: no memory. */
Prospect *prospect_new (const StateGraph *g);
void prospect_free (Prospect *p);

/* How likely a schedule that draws each step evenly fails. */
double prospect_chance (const Prospect *p);

#define PROSPECT_NONE (-1)    /* some schedule ends well from each step on, but the last */
#define PROSPECT_STRANGE (-2) /* the graph has no such execution */

/*
** Follows an execution: in chances[i] how likely it fails once step i is done. Returns after
** how many steps every schedule fails, the fewest; or one of the above.
*/
int prospect_follow (const Prospect *p, const char *path, int length, double *chances);

#endif
