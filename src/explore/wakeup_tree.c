/*
** wakeup_tree.c - see wakeup_tree.h.
**
** A branch holds all steps up to where it parts. There may be a hundred thousand, so they are
** packed: a step takes two bytes where there are few footprints, and branches lie in memory of
** their own, where an address has four bytes and a block no head. What cannot be packed into one
** branch goes on in an only child.
*/
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "explore/wakeup_tree.h"

#define UNIT ((uint32_t)sizeof(uint32_t))
#define CHUNK 16384       /* units of memory taken at a time */
#define BRANCH_MOST 4096u /* bytes of steps in a branch */
#define STEP_MOST 4u      /* bytes of a step */
#define SIZES (BRANCH_MOST / UNIT + 4)
#define WORDS (SIZES / 64 + 1)

/* Addresses count units from 1; 0: none. */
typedef struct Branch {
  uint32_t next;    /* its sibling */
  uint32_t child;   /* the first one after its last step; 0: a leaf */
  uint16_t at, end; /* bytes before `at` have been taken */
  unsigned char steps[];
} Branch;

struct WakeupTrees {
  uint32_t **chunks;
  uint32_t chunk_count, chunk_capacity;
  uint32_t top;         /* units of the last chunk that have been given away */
  size_t used;          /* units */
  uint32_t free[SIZES]; /* the first free block of so many units; it begins with the next one */
  uint64_t any[WORDS];  /* a bit for each size that there are free blocks of */
};

WakeupTrees *wakeup_trees_new (void) { return calloc(1, sizeof(WakeupTrees)); }

void wakeup_trees_free (WakeupTrees *trees) {
  if (trees == NULL) return;
  for (uint32_t i = 0; i < trees->chunk_count; i++) free(trees->chunks[i]);
  free(trees->chunks);
  free(trees);
}

size_t wakeup_trees_size (const WakeupTrees *trees) { return trees->used * UNIT; }

/*
** Memory.
*/

static void *unit_at (const WakeupTrees *trees, uint32_t address) {
  return trees->chunks[(address - 1) / CHUNK] + (address - 1) % CHUNK;
}

static Branch *branch_at (const WakeupTrees *trees, uint32_t address) {
  return address != 0 ? unit_at(trees, address) : NULL;
}

/* Units of a branch with so many bytes of steps. */
static uint32_t size_of (uint32_t bytes) {
  return (uint32_t)(offsetof(Branch, steps) + bytes + UNIT - 1) / UNIT;
}

/* No part of two chunks. */
static void give (WakeupTrees *trees, uint32_t address, uint32_t size) {
  if (size == 0) return;
  *(uint32_t *)unit_at(trees, address) = trees->free[size];
  trees->free[size] = address;
  trees->any[size / 64] |= (uint64_t)1 << size % 64;
}

/* The least size from that one on that there is a free block of; 0: there is none. */
static uint32_t find_free (const WakeupTrees *trees, uint32_t size) {
  uint32_t word = size / 64;
  uint64_t left = trees->any[word] >> size % 64 << size % 64;
  while (left == 0 && ++word < WORDS) left = trees->any[word];
  return left != 0 ? word * 64 + (uint32_t)__builtin_ctzll(left) : 0;
}

static uint32_t take_free (WakeupTrees *trees, uint32_t found, uint32_t size) {
  uint32_t address = trees->free[found];
  trees->free[found] = *(uint32_t *)unit_at(trees, address);
  if (trees->free[found] == 0) trees->any[found / 64] &= ~((uint64_t)1 << found % 64);
  give(trees, address + size, found - size);
  return address;
}

/* What is left of the last chunk can be taken, too. */
static bool add_chunk (WakeupTrees *trees) {
  uint32_t count = trees->chunk_count, left = count > 0 ? CHUNK - trees->top : 0;
  uint32_t *chunk = count < UINT32_MAX / CHUNK - 1 ? malloc(CHUNK * sizeof *chunk) : NULL;
  if (chunk == NULL
      || !grow_list32(&trees->chunks, &trees->chunk_capacity, count + 1, sizeof *trees->chunks)) {
    free(chunk);
    return false;
  }
  give(trees, (count - 1) * CHUNK + trees->top + 1, left);
  trees->chunks[trees->chunk_count++] = chunk;
  trees->top = 0;
  return true;
}

/* The address of a block; 0: no memory. */
static uint32_t take (WakeupTrees *trees, uint32_t size) {
  uint32_t found = find_free(trees, size), address;
  if (found != 0) address = take_free(trees, found, size);
  else {
    if ((trees->chunk_count == 0 || CHUNK - trees->top < size) && !add_chunk(trees)) return 0;
    address = (trees->chunk_count - 1) * CHUNK + trees->top + 1;
    trees->top += size;
  }
  trees->used += size;
  return address;
}

static void free_units (WakeupTrees *trees, uint32_t address, uint32_t size) {
  trees->used -= size;
  give(trees, address, size);
}

static void free_branch (WakeupTrees *trees, uint32_t address) {
  free_units(trees, address, size_of(branch_at(trees, address)->end));
}

/*
** Packed steps: the thread and how many bytes its footprint takes, then these.
*/

static uint32_t get_step (const unsigned char **at) {
  const unsigned char *p = *at;
  uint32_t step = (uint32_t)(*p & 63) << 24 | p[1];
  unsigned bytes = *p >> 6;
  for (unsigned i = 1; i < bytes; i++) step |= (uint32_t)p[1 + i] << 8 * i;
  *at = p + 1 + bytes;
  return step;
}

static unsigned char *put_step (unsigned char *p, uint32_t step) {
  uint32_t footprint = step_footprint(step);
  unsigned bytes = footprint < 1u << 8 ? 1 : footprint < 1u << 16 ? 2 : 3;
  *p++ = (unsigned char)((unsigned)step_thread(step) | bytes << 6);
  for (unsigned i = 0; i < bytes; i++) *p++ = (unsigned char)(footprint >> 8 * i);
  return p;
}

/*
** Inserting.
*/

/* A branch without children; 0: no memory. */
static uint32_t new_branch (WakeupTrees *trees, const unsigned char *steps, uint32_t length) {
  uint32_t address = take(trees, size_of(length));
  Branch *b = branch_at(trees, address);
  if (b == NULL) return 0;
  b->next = b->child = 0;
  b->at = 0;
  b->end = (uint16_t)length;
  memcpy(b->steps, steps, length);
  return address;
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

/* Adds v behind the sibling `last`, or as the first one, to which `first` leads. */
static Inserted add (WakeupTrees *trees, uint32_t *first, Branch *last, const uint32_t *v,
                     int length) {
  uint32_t *link = last != NULL ? &last->next : first;
  while (length > 0) {
    unsigned char steps[BRANCH_MOST], *p = steps;
    for (; length > 0 && p + STEP_MOST <= steps + BRANCH_MOST; length--) p = put_step(p, *v++);
    *link = new_branch(trees, steps, (uint32_t)(p - steps));
    if (*link == 0) return TREE_NO_MEMORY;
    link = &branch_at(trees, *link)->child;
  }
  return TREE_ADDED;
}

/* Parts the branch in front of the step there: v goes another way from there. */
static Inserted split (WakeupTrees *trees, uint32_t address, const unsigned char *there,
                       const uint32_t *v, int length) {
  Branch *b = branch_at(trees, address), *rest;
  uint32_t at = (uint32_t)(there - b->steps), left = size_of(at), whole = size_of(b->end);
  uint32_t rest_at = new_branch(trees, there, b->end - at);
  if (rest_at == 0) return TREE_NO_MEMORY;
  rest = branch_at(trees, rest_at);
  rest->child = b->child;
  b->child = rest_at;
  b->end = (uint16_t)at;
  free_units(trees, address + left, whole - left);
  return add(trees, NULL, rest, v, length);
}

Inserted wakeup_tree_insert (WakeupTrees *trees, WakeupTree *tree, const Footprints *f, uint32_t *v,
                             int length) {
  uint32_t *first = &tree->first;
  while (length > 0) {
    uint32_t address = *first;
    Branch *b = branch_at(trees, address), *last = NULL;
    const unsigned char *p = NULL;
    for (; b != NULL; last = b, address = b->next, b = branch_at(trees, address)) {
      p = b->steps + b->at;
      if (fits(f, get_step(&p), v, &length)) break;
    }
    if (b == NULL) return add(trees, first, last, v, length);
    while (p < b->steps + b->end && length > 0) {
      const unsigned char *there = p;
      if (!fits(f, get_step(&p), v, &length)) return split(trees, address, there, v, length);
    }
    if (b->child == 0) return TREE_COVERED;
    first = &b->child;
  }
  return TREE_COVERED;
}

/*
** Taking.
*/

uint32_t wakeup_tree_first (const WakeupTrees *trees, const WakeupTree *tree) {
  const Branch *b = branch_at(trees, tree->first);
  const unsigned char *p = b->steps + b->at;
  return get_step(&p);
}

void wakeup_tree_take (WakeupTrees *trees, WakeupTree *tree, WakeupTree *rest) {
  uint32_t address = tree->first;
  Branch *b = branch_at(trees, address);
  const unsigned char *p = b->steps + b->at;
  get_step(&p);
  tree->first = b->next;
  b->next = 0;
  b->at = (uint16_t)(p - b->steps);
  rest->first = address;
  if (b->at < b->end) return;
  rest->first = b->child;
  free_branch(trees, address);
}

/* Sequences may be long and deep: no recursion. */
void wakeup_tree_clear (WakeupTrees *trees, WakeupTree *tree) {
  while (tree->first != 0) {
    uint32_t address = tree->first, last = address;
    Branch *b = branch_at(trees, address);
    tree->first = b->next;
    if (b->child != 0) {
      for (last = b->child; branch_at(trees, last)->next != 0;) last = branch_at(trees, last)->next;
      branch_at(trees, last)->next = tree->first;
      tree->first = b->child;
    }
    free_branch(trees, address);
  }
}
