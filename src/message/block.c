/*
** block.c - see block.h.
**
** Each thread has a shelf for each size: up to BATCH blocks at hand and one full batch
** besides. What is more goes to the depot, where any thread with an empty shelf finds it.
** The depot is bounded; beyond that batches go to the C library.
**
** A thread that frees few messages keeps none: with ten thousand threads that would be
** memory.
*/
#include <pthread.h>

#include "base/spinlock.h"
#include "message/block.h"

#define STEP 64    /* bytes between two sizes, with what the C library keeps beside each block */
#define OVERHEAD 8 /* which are so many */
#define CLASSES 8  /* up to BLOCK_MOST */
#define BATCH 32
#define DEPOT_BYTES (256 << 10) /* of one size */
#define WARM 64                 /* so many a thread frees before it keeps any */

typedef struct Block {
  struct Block *next;
  struct Block *next_batch; /* in the depot */
} Block;

typedef struct Shelf {
  Block *blocks; /* at hand */
  Block *full;   /* BATCH of them, or NULL */
  unsigned short count, freed;
} Shelf;

typedef struct Depot {
  Spinlock spin;
  Block *batches;    /* under spin */
  atomic_uint count; /* written under spin */
} Depot;

static Depot depots[CLASSES];
static _Thread_local Shelf shelves[CLASSES];
static _Thread_local bool expected; /* the end of the thread clears its shelves */
static pthread_key_t at_end;
static pthread_once_t key_once = PTHREAD_ONCE_INIT;

static inline unsigned class_of (size_t size) { return (unsigned)((size + OVERHEAD - 1) / STEP); }
static inline size_t class_size (unsigned class) { return (class + 1) * STEP - OVERHEAD; }

static inline bool is_shelved (const World *world, size_t size) {
  return size <= BLOCK_MOST && !world_memory_is_own(world);
}

static void free_chain (Block *b) {
  while (b != NULL) {
    Block *next = b->next;
    free(b);
    b = next;
  }
}

static void depot_put (unsigned class, Block *batch) {
  Depot *d = &depots[class];
  bool room;
  spinlock_take(&d->spin);
  room = atomic_load_explicit(&d->count, memory_order_relaxed) * BATCH * class_size(class)
         < DEPOT_BYTES;
  if (room) {
    batch->next_batch = d->batches;
    d->batches = batch;
    atomic_fetch_add_explicit(&d->count, 1, memory_order_relaxed);
  }
  spinlock_give(&d->spin);
  if (!room) free_chain(batch);
}

/* The thread ends. What it still frees then comes here again. */
static void clear_shelves (void *unused) {
  (void)unused;
  expected = false;
  for (unsigned class = 0; class < CLASSES; class ++) {
    Shelf *s = &shelves[class];
    free_chain(s->blocks);
    free_chain(s->full);
    *s = (Shelf){.freed = 0};
  }
}

static void make_key (void) { pthread_key_create(&at_end, clear_shelves); }

/* False: the shelves of this thread would be lost. */
static bool expect_end (void) {
  pthread_once(&key_once, make_key);
  expected = pthread_setspecific(at_end, shelves) == 0;
  return expected;
}

static Block *depot_take (unsigned class) {
  Depot *d = &depots[class];
  Block *batch;
  if (atomic_load_explicit(&d->count, memory_order_relaxed) == 0) return NULL;
  if (!expected && !expect_end()) return NULL;
  spinlock_take(&d->spin);
  batch = d->batches;
  if (batch != NULL) {
    d->batches = batch->next_batch;
    atomic_fetch_sub_explicit(&d->count, 1, memory_order_relaxed);
  }
  spinlock_give(&d->spin);
  return batch;
}

/* The shelf has no block at hand. */
static void *take_slowly (Shelf *s, unsigned class) {
  Block *b = s->full;
  s->full = NULL;
  if (b == NULL) b = depot_take(class);
  if (b == NULL) return malloc(class_size(class));
  s->blocks = b->next;
  s->count = BATCH - 1;
  return b;
}

void *block_alloc (World *world, size_t size) {
  unsigned class = class_of(size);
  Shelf *s;
  Block *b;
  if (!is_shelved(world, size)) return world_alloc(world, size);
  s = &shelves[class];
  b = s->blocks;
  if (b == NULL) return take_slowly(s, class);
  s->blocks = b->next;
  s->count--;
  return b;
}

void block_free (World *world, void *block, size_t size) {
  unsigned class = class_of(size);
  Block *b = block;
  Shelf *s;
  if (!is_shelved(world, size)) {
    world_free(world, block);
    return;
  }
  s = &shelves[class];
  if (s->freed < WARM) {
    s->freed++;
    free(block);
    return;
  }
  if (!expected && !expect_end()) {
    free(block);
    return;
  }
  if (s->count == BATCH) {
    if (s->full != NULL) depot_put(class, s->full);
    s->full = s->blocks;
    s->blocks = NULL;
    s->count = 0;
  }
  b->next = s->blocks;
  s->blocks = b;
  s->count++;
}
