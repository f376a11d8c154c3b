/*
** heap.c - an allocator for one Lua state, used by one thread at a time.
**
** Lua tells the size of a block when it frees it, so blocks need no headers.
** Sizes are rounded up to a multiple of 8, from FINE on to one of four for each
** doubling (Lua's tables have such sizes); each has a list of free blocks of its
** own. What is larger than BIG comes from malloc.
**
** A state begins in its home, a few pages: a thread that does little never leaves
** them, and with ten thousand threads each page counts. After that blocks come from slabs,
** each for one size only, that lie in segments at addresses by which a block's
** slab is found. A slab counts its free blocks; one that has become wholly free
** serves any size again, and a segment that has goes back to the system.
*/
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "state/private.h"

#define SEGMENT ((size_t)1 << 20)
#define SLAB ((size_t)32 << 10)
#define SLABS (SEGMENT / SLAB)   /* the bits of HeapSegment.free */
#define STRIDE ((size_t)4 << 10) /* so much of a slab is divided into blocks at once */
#define HOMES_MOST 64            /* homes kept for reuse */

typedef struct Slab {
  void *free;                 /* blocks that came back, a list through their first word */
  unsigned free_count, count; /* in that list; blocks made so far, wherever they are */
  unsigned class;
  char *fresh, *end;            /* not yet divided */
  struct Slab *next, *previous; /* in More.open */
  bool open;
} Slab;

/* Links of a ring that has a head of its own. */
typedef struct HeapLink {
  struct HeapLink *next, *previous;
} HeapLink;

typedef struct HeapSegment {
  HeapLink link; /* first of all: in More.segments */
  uint32_t free; /* a bit for each slab that serves no size */
  Slab slabs[SLABS];
} HeapSegment;

/* What a heap needs once it has left its home. */
struct More {
  HeapLink segments;       /* a ring; those with a free slab stand before those without */
  unsigned empty, count;   /* segments with free slabs only; all */
  Slab *open[CLASSES + 1]; /* slabs that have a block to give */
};

#define ALL_FREE (UINT32_MAX << 1) /* the first slab holds the HeapSegment itself */

/*
** Homes.
*/

static pthread_mutex_t homes_mu = PTHREAD_MUTEX_INITIALIZER;
static Heap *homes;     /* under homes_mu */
static int homes_count; /* under homes_mu */

static Heap *home_new (void) {
  Heap *h = malloc(sizeof *h);
  void *home;
  if (h == NULL) return NULL;
  home = mmap(NULL, HOME, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (home != MAP_FAILED) {
    h->home = home;
    return h;
  }
  free(h);
  return NULL;
}

Heap *heap_home_take (void) {
  Heap *h;
  pthread_mutex_lock(&homes_mu);
  h = homes;
  if (h != NULL) {
    homes = h->next;
    homes_count--;
  }
  pthread_mutex_unlock(&homes_mu);
  return h != NULL ? h : home_new();
}

static void home_give (Heap *h) {
  bool kept;
  pthread_mutex_lock(&homes_mu);
  kept = homes_count < HOMES_MOST;
  if (kept) {
    h->next = homes;
    homes = h;
    homes_count++;
  }
  pthread_mutex_unlock(&homes_mu);
  if (kept) return;
  munmap(h->home, HOME);
  free(h);
}

/*
** Sizes.
*/

/* The class of a size, 1 .. CLASSES; above: none. */
static inline unsigned class_of (size_t n) {
  unsigned shift;
  if (n <= FINE) return (unsigned)((n + 7) / 8);
  if (n > BIG) return CLASSES + 1;
  shift = 31 - (unsigned)__builtin_clz((unsigned)n - 1); /* 2^shift <= n-1 < 2^(shift+1) */
  return FINE_CLASSES + 4 * (shift - FINE_SHIFT) + (((unsigned)n - 1) >> (shift - 2)) - 3;
}

size_t heap_class_size (unsigned class) {
  unsigned step = class - FINE_CLASSES - 1;
  if (class <= FINE_CLASSES) return (size_t) class * 8;
  return ((size_t)step % 4 + 5) << (FINE_SHIFT - 2 + step / 4);
}

/*
** Segments.
*/

static void *map_aligned (void) {
  char *p = mmap(NULL, SEGMENT, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
       *aligned;
  if (p == MAP_FAILED) return NULL;
  if ((uintptr_t)p % SEGMENT == 0) return p; /* as a rule: next to the one before */
  munmap(p, SEGMENT);
  p = mmap(NULL, 2 * SEGMENT, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) return NULL;
  aligned = (char *)(((uintptr_t)p + SEGMENT - 1) & ~(SEGMENT - 1));
  if (aligned != p) munmap(p, (size_t)(aligned - p));
  munmap(aligned + SEGMENT, (size_t)(p + SEGMENT - aligned));
  return aligned;
}

static void unlink_segment (HeapSegment *s) {
  s->link.previous->next = s->link.next;
  s->link.next->previous = s->link.previous;
}

static void link_after (HeapLink *place, HeapSegment *s) {
  s->link.previous = place;
  s->link.next = place->next;
  place->next->previous = &s->link;
  place->next = &s->link;
}

static HeapSegment *segment_new (More *m) {
  HeapSegment *s = map_aligned();
  if (s == NULL) return NULL;
  s->free = ALL_FREE;
  m->empty++;
  m->count++;
  link_after(&m->segments, s);
  return s;
}

static void segment_free (More *m, HeapSegment *s) {
  m->empty--;
  m->count--;
  unlink_segment(s);
  munmap(s, SEGMENT);
}

/*
** Half of the segments may be wholly free: what the collector frees at a time is soon
** needed again.
*/
static void segment_emptied (More *m, HeapSegment *s) {
  if (++m->empty > 1 + m->count / 2) segment_free(m, s);
}

void heap_trim (Heap *h) {
  More *m = h->more;
  for (HeapLink *l = m != NULL ? m->segments.next : NULL; l != NULL && l != &m->segments;) {
    HeapSegment *s = (HeapSegment *)l;
    l = l->next;
    if (s->free == ALL_FREE) segment_free(m, s);
  }
}

/*
** Slabs.
*/

static void open_slab (More *m, Slab *slab) {
  Slab **list = &m->open[slab->class];
  slab->open = true;
  slab->previous = NULL;
  slab->next = *list;
  if (*list != NULL) (*list)->previous = slab;
  *list = slab;
}

static void close_slab (More *m, Slab *slab) {
  if (slab->previous != NULL) slab->previous->next = slab->next;
  else m->open[slab->class] = slab->next;
  if (slab->next != NULL) slab->next->previous = slab->previous;
  slab->open = false;
}

/* A slab for the class, open. NULL: no memory. */
static Slab *slab_new (More *m, unsigned class) {
  HeapSegment *s = (HeapSegment *)m->segments.next;
  unsigned i;
  Slab *slab;
  if (m->segments.next == &m->segments || s->free == 0) s = segment_new(m);
  if (s == NULL) return NULL;
  if (s->free == ALL_FREE) m->empty--;
  i = (unsigned)__builtin_ctz(s->free);
  s->free &= s->free - 1;
  if (s->free == 0) {
    unlink_segment(s);
    link_after(m->segments.previous, s);
  }
  slab = &s->slabs[i];
  memset(slab, 0, sizeof *slab);
  slab->class = class;
  slab->fresh = (char *)s + i * SLAB;
  slab->end = slab->fresh + SLAB;
  open_slab(m, slab);
  return slab;
}

static HeapSegment *segment_of (const void *block) {
  return (HeapSegment *)((uintptr_t)block & ~(SEGMENT - 1));
}

/* All its blocks are free. */
static void slab_emptied (More *m, Slab *slab) {
  HeapSegment *s = segment_of(slab);
  if (slab->open) close_slab(m, slab);
  if (s->free == 0) {
    unlink_segment(s);
    link_after(&m->segments, s);
  }
  s->free |= UINT32_C(1) << (slab - s->slabs);
  if (s->free == ALL_FREE) segment_emptied(m, s);
}

/* Divides the next stride of the slab into free blocks. */
static void divide (Slab *slab) {
  size_t size = heap_class_size(slab->class);
  size_t most = (size_t)(slab->end - slab->fresh) / size, n = STRIDE / size;
  if (n > most) n = most;
  for (size_t i = 0; i < n; i++) { /* the lowest address comes first in the list */
    char *block = slab->fresh + (n - 1 - i) * size;
    *(void **)block = slab->free;
    slab->free = block;
  }
  slab->fresh += n * size;
  slab->free_count += (unsigned)n;
  slab->count += (unsigned)n;
}

/* The list of free blocks of a class is empty: the heap takes over all that a slab has. */
static void *take_from_slab (Heap *h, unsigned class) {
  More *m = h->more;
  Slab *slab = m->open[class];
  void *block;
  if (slab == NULL) slab = slab_new(m, class);
  if (slab == NULL) return NULL;
  if (slab->free == NULL) divide(slab);
  block = slab->free;
  h->free[class] = *(void **)block;
  slab->free = NULL;
  slab->free_count = 0;
  if ((size_t)(slab->end - slab->fresh) < heap_class_size(class)) close_slab(m, slab);
  return block;
}

static bool leave_home (Heap *h) {
  h->more = calloc(1, sizeof *h->more);
  if (h->more == NULL) return false;
  h->more->segments.next = h->more->segments.previous = &h->more->segments;
  return true;
}

static inline void put_back (Heap *h, void *block, unsigned class) {
  *(void **)block = h->free[class];
  h->free[class] = block;
}

/* Cuts a block out of the home; NULL: none is left that is long enough. */
static void *cut (Heap *h, size_t size) {
  for (Range **p = &h->ranges; *p != NULL; p = &(*p)->next) {
    Range *r = *p, *next = r->next, *rest = (Range *)((char *)r + size);
    size_t left = r->size - size;
    if (r->size < size) continue;
    if (left > FINE) {
      rest->next = next;
      rest->size = left;
      *p = rest;
    }
    else {
      *p = next;
      if (left > 0) put_back(h, rest, class_of(left));
    }
    return r;
  }
  return NULL;
}

/* Makes two of a longer free block; NULL: there is none. */
static void *split (Heap *h, unsigned class) {
  for (unsigned longer = class + 1; longer <= FINE_CLASSES; longer++) {
    char *block = h->free[longer];
    if (block == NULL) continue;
    h->free[longer] = *(void **)block;
    put_back(h, block + heap_class_size(class), longer - class);
    return block;
  }
  return NULL;
}

/* At home what is there is used up before another page is touched. */
static void *take_at_home (Heap *h, unsigned class) {
  void *block = split(h, class);
  return block != NULL ? block : cut(h, heap_class_size(class));
}

/* The first block is as long as it needs to be: it is never used again. */
static void *begin (Heap *h, size_t size) {
  size = (size + 15) & ~(size_t)15;
  h->begun = true;
  h->ranges = (Range *)(h->home + size);
  h->ranges->next = NULL;
  h->ranges->size = HOME - size;
  return h->home;
}

static void *take_slowly (Heap *h, unsigned class, size_t size) {
  void *block;
  if (!h->begun) return begin(h, size);
  if (h->more == NULL) {
    block = take_at_home(h, class);
    if (block != NULL) return block;
    if (!leave_home(h)) return NULL;
  }
  return take_from_slab(h, class);
}

/* A block of `size` bytes, which are of that class. */
static inline void *take (Heap *h, unsigned class, size_t size) {
  void *block = h->free[class];
  if (block == NULL) return take_slowly(h, class, size);
  h->free[class] = *(void **)block;
  return block;
}

bool heap_has_room (const Heap *h, size_t size) {
  unsigned class = class_of(size);
  if (class > CLASSES) return false;
  if (h->free[class] != NULL) return true;
  if (h->more != NULL) return h->more->open[class] != NULL;
  return h->ranges != NULL && h->ranges->size >= heap_class_size(class);
}

static void heap_end (Heap *h) {
  More *m = h->more;
  if (m != NULL) {
    HeapLink *l = m->segments.next;
    while (l != &m->segments) {
      HeapLink *next = l->next;
      munmap(l, SEGMENT);
      l = next;
    }
    free(m);
  }
  home_give(h);
}

static void give_to_slab (Heap *h, void *block) {
  HeapSegment *s = segment_of(block);
  Slab *slab = &s->slabs[((uintptr_t)block - (uintptr_t)s) / SLAB];
  *(void **)block = slab->free;
  slab->free = block;
  if (++slab->free_count == slab->count) slab_emptied(h->more, slab);
  else if (!slab->open) open_slab(h->more, slab);
}

static inline void give (Heap *h, void *block, unsigned class) {
  if (!heap_at_home(h, block)) give_to_slab(h, block);
  else if (block == h->home) heap_end(h);
  else put_back(h, block, class);
}

/*
** The allocator.
*/

static void *resize (Heap *h, void *block, size_t old, size_t new) {
  unsigned old_class = class_of(old), new_class = class_of(new);
  void *fresh;
  if (old_class == new_class) return old_class <= CLASSES ? block : realloc(block, new);
  fresh = new_class <= CLASSES ? take(h, new_class, new) : malloc(new);
  if (fresh == NULL) return NULL;
  memcpy(fresh, block, old < new ? old : new);
  if (old_class <= CLASSES) give(h, block, old_class);
  else free(block);
  return fresh;
}

void *heap_alloc (void *ud, void *block, size_t old, size_t new) {
  unsigned class;
  if (block != NULL) {
    if (new != 0) return resize(ud, block, old, new);
    class = class_of(old);
    if (class <= CLASSES) give(ud, block, class);
    else free(block);
    return NULL;
  }
  if (new == 0) return NULL;
  class = class_of(new); /* old says what kind of object it is to be */
  return class <= CLASSES ? take(ud, class, new) : malloc(new);
}

void *heap_alloc_clean (void *ud, void *block, size_t old, size_t new) {
  size_t known = block == NULL ? 0 : old < new ? old : new, end = (new + 7) & ~(size_t)7;
  char *p = heap_alloc(ud, block, old, new);
  if (p != NULL && class_of(new) <= CLASSES) memset(p + known, 0, end - known);
  return p;
}

Heap *heap_new (void) {
  Heap *h = heap_home_take();
  if (h == NULL) return NULL;
  h->begun = false;
  h->ranges = NULL;
  h->more = NULL;
  memset(h->free, 0, sizeof h->free);
  return h;
}
