/*
** budget.h - how long an exploration may still go on.
*/
#ifndef EXPLORE_BUDGET_H
#define EXPLORE_BUDGET_H

#include "explore/exploration.h"

/* By this clock and not the processor's: what somebody waits for takes as long as it takes. */
Nanos budget_outside_clock (void);

/* When the budget is used up, by exploration_clock; or FOREVER. */
Nanos budget_deadline (const Exploration *x);

/* Whether exploration_clock is past that time; looks now and then only. */
bool budget_is_past (Exploration *x, Nanos time);

/* Whether the search must end, whatever is left of its budget: it is interrupted, or takes too long. */
bool budget_must_end (const Exploration *x);

/* Whether nothing is left. Looks at the clock each time: who counts looks might be asked at the wrong ones only. */
bool budget_is_used_up (const Exploration *x);

#endif
