/*
** wakeup_tree.h - what is still to be tried in front of one event: sequences of
** operations, `thread << 24 | footprint`, that share their beginnings.
**
** A sequence that is inserted is followed as far as it is the same, up to the order
** of independent operations, as one that is there; only what is left becomes a new
** branch. So no two branches lead to the same trace.
*/
#ifndef EXPLORE_WAKEUP_TREE_H
#define EXPLORE_WAKEUP_TREE_H

#include "explore/footprint.h"

typedef struct Branch Branch;

/* The branches in front of one event, in the order in which they are tried. All zero: none. */
typedef struct WakeupTree {
  Branch *first, *last;
} WakeupTree;

static inline int step_thread (uint32_t step) { return (int)(step >> 24); }
static inline uint32_t step_footprint (uint32_t step) { return step & 0xffffff; }

typedef enum Inserted { TREE_COVERED, TREE_ADDED, TREE_NO_MEMORY } Inserted;

/* Inserts the sequence, which is used up. */
Inserted wakeup_tree_insert (WakeupTree *tree, const Footprints *f, uint32_t *sequence, int length);

/* The first step of the first branch; the tree is not empty. */
uint32_t wakeup_tree_first (const WakeupTree *tree);
/* Takes that step: what follows it becomes `rest`. */
void wakeup_tree_take (WakeupTree *tree, WakeupTree *rest);
void wakeup_tree_free (WakeupTree *tree);
/* Steps held by all trees of this process at present, for bounding memory. */
size_t wakeup_tree_steps (void);

#endif
