/*
** checkpoint.h - a world that is moved from outside (steps.h), remembered as it
** stands and put back.
**
**     Checkpoint *root = checkpoint_take(sim);
**     … sim_step … until the run is over …
**     checkpoint_restore(sim, root);      // and again, another way
**
** The first checkpoint of a world is its root: it must be freed last. What was
** printed, the schedule and the verdict go back too. Files do not: those opened
** since are closed, others stay where they are. So does what the body has put
** outside of the world by itself.
*/
#ifndef SIM_CHECKPOINT_H
#define SIM_CHECKPOINT_H

#include <stdbool.h>
#include "sim/steps.h"

typedef struct Checkpoint Checkpoint;

/*
** The world must stand. NULL: no memory; or it is not possible here, under
** AddressSanitizer, ThreadSanitizer, on processors other than x86-64 and in worlds with
** libraries in C. Then a
** search must begin each run anew.
*/
Checkpoint *checkpoint_take (Sim *sim);

/* The world is as it was, whether or not its run has ended since. */
void checkpoint_restore (Sim *sim, const Checkpoint *c);

/* The pages that are watched since the root. */
struct Pages *checkpoint_pages (const Checkpoint *c);

void checkpoint_free (Checkpoint *c); /* before sim_end; NULL is allowed */

#endif
