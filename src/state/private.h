/*
** private.h - the inside of a heap, for heap.c and heap_image.c.
*/
#ifndef STATE_PRIVATE_H
#define STATE_PRIVATE_H

#include <stdint.h>

#include "state/heap.h"

#define HOME ((size_t)64 << 10)
#define FINE 256 /* up to here every multiple of 8 is a size of its own */
#define FINE_SHIFT 8
#define BIG 4096 /* largest size in slabs */
#define FINE_CLASSES (FINE / 8)
#define CLASSES (FINE_CLASSES + 4 * 4)

typedef struct More More; /* heap.c: what a heap needs once it has left its home */

/* A part of the home from which blocks of any size can be cut; longer than FINE. */
typedef struct Range {
  struct Range *next;
  size_t size;
} Range;

struct Heap {
  char *home;    /* const after init; the first block begins it: when that is freed, all is over */
  bool begun;    /* the first block has been taken */
  Range *ranges; /* the last one goes to the end of the home */
  More *more;    /* NULL: still at home */
  Heap *next;    /* in homes */
  void *free[CLASSES + 1]; /* lists through the blocks' first words */
};

/* A heap with nothing in it but its home, which may hold anything; NULL: no memory. */
Heap *heap_home_take (void);

static inline bool heap_at_home (const Heap *h, const void *block) {
  return (uintptr_t)block - (uintptr_t)h->home < HOME;
}

/* The size of the blocks of a class. */
size_t heap_class_size (unsigned class);

#endif
