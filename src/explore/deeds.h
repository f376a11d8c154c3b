/*
** deeds.h - numbers for what steps have done: the operation as a watch is told of it, and
** the threads that it has started or woken. Equal deeds have one number.
*/
#ifndef EXPLORE_DEEDS_H
#define EXPLORE_DEEDS_H

#include "explore/watch.h"

#define DEED_NONE UINT32_MAX /* of the clock, or there was no memory */

typedef struct Deed {
  WatchedStep op; /* what `among` points to is the table's */
  uint64_t woken;
} Deed;

typedef struct Deeds Deeds;

Deeds *deeds_new (void); /* NULL: no memory */
void deeds_free (Deeds *d);

uint32_t deeds_number (Deeds *d, const WatchedStep *op, uint64_t woken);
/* Valid until the next deeds_number. */
const Deed *deeds_at (const Deeds *d, uint32_t number);
uint32_t deeds_count (const Deeds *d);

#endif
