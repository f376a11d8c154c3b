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

/* The memory of all trees of a search. */
typedef struct WakeupTrees WakeupTrees;

/* The branches in front of one event, in the order in which they are tried. All zero: none. */
typedef struct WakeupTree {
  uint32_t first; /* its address in the memory of the trees */
} WakeupTree;

static inline int step_thread (uint32_t step) { return (int)(step >> 24); }
static inline uint32_t step_footprint (uint32_t step) { return step & 0xffffff; }

WakeupTrees *wakeup_trees_new (void); /* NULL: no memory */
/* With all trees that are left. */
void wakeup_trees_free (WakeupTrees *trees);
/* Bytes that all its trees take at present. */
size_t wakeup_trees_size (const WakeupTrees *trees);

typedef enum Inserted { TREE_COVERED, TREE_ADDED, TREE_NO_MEMORY } Inserted;

/* Inserts the sequence, which is used up. */
Inserted wakeup_tree_insert (WakeupTrees *trees, WakeupTree *tree, const Footprints *f,
                             uint32_t *sequence, int length);

static inline bool wakeup_tree_is_empty (const WakeupTree *tree) { return tree->first == 0; }
/* The first step of the first branch; the tree is not empty. */
uint32_t wakeup_tree_first (const WakeupTrees *trees, const WakeupTree *tree);
/* Takes that step: what follows it becomes `rest`. */
void wakeup_tree_take (WakeupTrees *trees, WakeupTree *tree, WakeupTree *rest);
void wakeup_tree_clear (WakeupTrees *trees, WakeupTree *tree);

#endif
