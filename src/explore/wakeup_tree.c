/*
** wakeup_tree.c - see wakeup_tree.h.
**
** A branch holds all steps up to where it parts, so a sequence costs four bytes a
** step and a block for each fork.
*/
#include <stdlib.h>
#include <string.h>

#include "explore/wakeup_tree.h"

struct Branch {
  Branch *next;        /* its sibling */
  WakeupTree children; /* after its last step; none: a leaf */
  int at, length;      /* steps before `at` have been taken */
  uint32_t steps[];
};

static size_t steps_held;

size_t wakeup_tree_steps (void) { return steps_held; }

static void append (WakeupTree *tree, Branch *b) {
  b->next = NULL;
  if (tree->last != NULL) tree->last->next = b;
  else tree->first = b;
  tree->last = b;
}

static Branch *new_branch (const uint32_t *steps, int length) {
  Branch *b = malloc(sizeof *b + (size_t)length * sizeof *steps);
  if (b == NULL) return NULL;
  *b = (Branch){.length = length};
  memcpy(b->steps, steps, (size_t)length * sizeof *steps);
  steps_held += (size_t)length;
  return b;
}

static void free_branch (Branch *b) {
  steps_held -= (size_t)b->length;
  free(b);
}

/* Whether step x can come before sequence v without a difference; it is taken out of v. */
static bool fits (const Footprints *f, uint32_t x, uint32_t *v, int *length) {
  for (int i = 0; i < *length; i++) {
    if (step_thread(v[i]) != step_thread(x)) continue;
    for (int k = 0; k < i; k++)
      if (footprint_dependent(f, step_thread(v[k]), step_footprint(v[k]), step_thread(v[i]),
                              step_footprint(v[i])))
        return false;
    --*length;
    memmove(v + i, v + i + 1, (size_t)(*length - i) * sizeof *v);
    return true;
  }
  for (int i = 0; i < *length; i++)
    if (footprint_dependent(f, step_thread(v[i]), step_footprint(v[i]), step_thread(x),
                            step_footprint(x)))
      return false;
  return true;
}

static Inserted add (WakeupTree *tree, const uint32_t *v, int length) {
  Branch *b = new_branch(v, length);
  if (b == NULL) return TREE_NO_MEMORY;
  append(tree, b);
  return TREE_ADDED;
}

/* Parts b in front of its step `at`: v goes another way from there. */
static Inserted split (Branch *b, int at, const uint32_t *v, int length) {
  Branch *rest = new_branch(b->steps + at, b->length - at);
  Inserted done;
  if (rest == NULL) return TREE_NO_MEMORY;
  rest->children = b->children;
  steps_held -= (size_t)(b->length - at);
  b->length = at;
  b->children = (WakeupTree){NULL, NULL};
  append(&b->children, rest);
  done = add(&b->children, v, length);
  return done;
}

Inserted wakeup_tree_insert (WakeupTree *tree, const Footprints *f, uint32_t *v, int length) {
  Branch *b;
  while (length > 0) {
    for (b = tree->first; b != NULL && !fits(f, b->steps[b->at], v, &length);) b = b->next;
    if (b == NULL) return add(tree, v, length);
    for (int i = b->at + 1; i < b->length && length > 0; i++)
      if (!fits(f, b->steps[i], v, &length)) return split(b, i, v, length);
    if (b->children.first == NULL) return TREE_COVERED;
    tree = &b->children;
  }
  return TREE_COVERED;
}

uint32_t wakeup_tree_first (const WakeupTree *tree) { return tree->first->steps[tree->first->at]; }

void wakeup_tree_take (WakeupTree *tree, WakeupTree *rest) {
  Branch *b = tree->first;
  tree->first = b->next;
  if (tree->first == NULL) tree->last = NULL;
  *rest = (WakeupTree){NULL, NULL};
  if (++b->at < b->length) append(rest, b);
  else {
    *rest = b->children;
    free_branch(b);
  }
}

/* Sequences may be long and deep: no recursion. */
void wakeup_tree_free (WakeupTree *tree) {
  while (tree->first != NULL) {
    Branch *b = tree->first;
    tree->first = b->next;
    if (b->children.first != NULL) {
      b->children.last->next = tree->first;
      tree->first = b->children.first;
    }
    free_branch(b);
  }
  tree->last = NULL;
}
