/*
** footprint.h - what an operation touches, and whether two operations depend on
** each other.
**
** A footprint is a list of accesses {object, part, write}. Two operations are
** dependent iff they access the same part of the same object and not both only
** read it: then their order can be seen. All else may be swapped.
**
** Footprints are interned: the search stores numbers of 24 bits. Objects are
** numbers too; the code that fills in an access sees to it that one object has the same
** number in every execution. Nothing here knows Lua, threads or worlds.
*/
#ifndef EXPLORE_FOOTPRINT_H
#define EXPLORE_FOOTPRINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ACCESSES_MOST 64    /* of one footprint */
#define PART_ALL UINT32_MAX /* every part of the object */
#define GRIPS_NONE UINT16_MAX
#define GRIPS_ALL (UINT16_MAX - 1)
/* As the last one, but for silent operations: os.exit */
#define GRIPS_LOUD (UINT16_MAX - 2)
/* None; it is silent (see Event). */
#define GRIPS_SILENT (UINT16_MAX - 3)
/* As GRIPS_LOUD: an early tick of the clock, which others bring about and do away with. */
#define GRIPS_TICK (UINT16_MAX - 4)

typedef struct Access {
  uint32_t object;
  uint32_t part;
  bool write;
  uint8_t needs; /* bits READY_… without which the operation cannot be done here; 0: none */
} Access;

typedef struct Footprint {
  uint16_t count;
  uint16_t grips; /* the thread every operation of which depends on this one; or GRIPS_… */
  uint32_t first; /* of its accesses, and of their places, in the pool */
} Footprint;

typedef struct Place {
  uint32_t object, part;
  uint32_t first, next; /* of the same object */
} Place;

#define FOOTPRINTS_FIRST 128 /* of which it is kept whether they meet */

/* For footprint.c, and the functions below that each step of a search calls some dozen times. */
typedef struct Footprints {
  Footprint *list;
  uint32_t count, capacity;
  Access *accesses; /* of all footprints, one after the other */
  uint32_t *places; /* beside them */
  uint32_t used, pool;
  uint32_t *index; /* open addressing: number + 1, or 0 */
  uint32_t index_size;
  Place *place_list;
  uint32_t place_count, place_capacity;
  bool is_short; /* a footprint has got no number of its own */
  bool meet[FOOTPRINTS_FIRST][FOOTPRINTS_FIRST];
} Footprints;

Footprints *footprint_table (void); /* NULL: no memory */
void footprint_table_free (Footprints *f);

/*
** The number of the footprint with these accesses. 0, which depends on everything: no
** memory, or more than 2^24.
*/
uint32_t footprint_intern (Footprints *f, const Access *accesses, int count, unsigned grips);

/* Whether that has happened: what was found so far holds, the search cannot go on. */
static inline bool footprint_is_short (const Footprints *f) { return f->is_short; }
/* What footprints are made of has met the same. */
static inline void footprint_fall_short (Footprints *f) { f->is_short = true; }

static inline const Footprint *footprint_at (const Footprints *f, uint32_t id) {
  return &f->list[id];
}
static inline const Access *footprint_accesses (const Footprints *f, uint32_t id) {
  return f->accesses + f->list[id].first;
}

/* Whether it is the end of the program, whatever others still have to do. */
static inline bool footprint_is_exit (const Footprints *f, uint32_t id) {
  return f->list[id].grips == GRIPS_LOUD;
}
/* Whether it is of a silent operation: no tick, which is silent to an Event only. */
static inline bool footprint_is_silent (const Footprints *f, uint32_t id) {
  return f->list[id].grips == GRIPS_SILENT;
}

/* Whether operations of that thread depend on it, be they on what they may. */
static inline bool footprint_grips (const Footprint *p, int thread) {
  return p->grips == GRIPS_ALL || p->grips == GRIPS_LOUD || p->grips == GRIPS_TICK
         || p->grips == thread;
}

/*
** Places: pairs of object and part, numbered from 0, so that a history can keep a
** chain of events for each. The places of an object are linked.
*/
static inline const uint32_t *footprint_places (const Footprints *f, uint32_t id) {
  return f->places + f->list[id].first;
}
static inline uint32_t footprint_place_count (const Footprints *f) { return f->place_count; }
/* The next place of the same object, or UINT32_MAX. */
static inline uint32_t footprint_next_place (const Footprints *f, uint32_t place) {
  return f->place_list[place].next;
}
/* Of that place's object. */
static inline uint32_t footprint_first_place (const Footprints *f, uint32_t place) {
  return f->place_list[place].first;
}
static inline uint32_t footprint_part (const Footprints *f, uint32_t place) {
  return f->place_list[place].part;
}

/* Whether they access the same, and not both only read it. */
bool footprint_meet (const Footprints *f, uint32_t a, uint32_t b);

/* Whether the first grips the second, of that thread. */
static inline bool footprint_grips_other (const Footprint *p, const Footprint *q, int thread) {
  return p->grips == GRIPS_ALL || p->grips == thread
         || ((p->grips == GRIPS_LOUD || p->grips == GRIPS_TICK) && q->grips != GRIPS_SILENT);
}

/*
** Whether operation `a` of thread `ta` and `b` of thread `tb` depend on each other; the
** same thread's always do.
*/
static inline bool footprint_dependent (const Footprints *f, int ta, uint32_t a, int tb,
                                        uint32_t b) {
  const Footprint *p = &f->list[a], *q = &f->list[b];
  if (ta == tb || footprint_grips_other(p, q, tb) || footprint_grips_other(q, p, ta)) return true;
  return a < FOOTPRINTS_FIRST && b < FOOTPRINTS_FIRST ? f->meet[a][b] : footprint_meet(f, a, b);
}

#endif
