/*
** outputs.h - what executions have printed, where that counts as an outcome.
*/
#ifndef EXPLORE_OUTPUTS_H
#define EXPLORE_OUTPUTS_H

#include "explore/outcome.h"

#define OUTCOME_OUTPUTS "outcomes" /* the field of the table of groups that has them */

/*
** Counts the execution for how it ends and what it has printed: a list of { ok, kind, message,
** output, executions }. `number`: of its group in the table at `groups`; 0: it has ended well.
** [0, 0, memory]
*/
void outputs_note (lua_State *L, int groups, const Explored *x, int number);

#endif
