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

typedef struct Footprints Footprints;

Footprints *footprint_table (void); /* NULL: no memory */
void footprint_table_free (Footprints *f);

/*
** The number of the footprint with these accesses. 0, which depends on everything: no
** memory, or more than 2^24.
*/
uint32_t footprint_intern (Footprints *f, const Access *accesses, int count, unsigned grips);

/* Whether that has happened: what was found so far holds, the search cannot go on. */
bool footprint_is_short (const Footprints *f);

const Footprint *footprint_at (const Footprints *f, uint32_t id);
const Access *footprint_accesses (const Footprints *f, uint32_t id);

/* Whether operations of that thread depend on it, be they on what they may. */
bool footprint_grips (const Footprint *p, int thread);

/*
** Places: pairs of object and part, numbered from 0, so that a history can keep a
** chain of events for each. The places of an object are linked.
*/
const uint32_t *footprint_places (const Footprints *f, uint32_t id);
uint32_t footprint_place_count (const Footprints *f);
/* The next place of the same object, or UINT32_MAX. */
uint32_t footprint_next_place (const Footprints *f, uint32_t place);
uint32_t footprint_first_place (const Footprints *f, uint32_t place); /* of that place's object */
uint32_t footprint_part (const Footprints *f, uint32_t place);

/*
** Whether operation `a` of thread `ta` and `b` of thread `tb` depend on each other; the
** same thread's always do.
*/
bool footprint_dependent (const Footprints *f, int ta, uint32_t a, int tb, uint32_t b);

#endif
