/*
** happens.h - what happens before what by synchronisation alone, and which accesses
** to Shared tables nothing orders.
**
** Each thread has a vector clock. What an operation gives to its object, and what it
** takes from there, stands in the table of op.h. Two accesses to one key by different
** threads, one of them a write, are a race where neither's thread knew of the other:
** whatever the schedule was, they could have come the other way round, or at once.
**
** Threads are numbers below `width`; objects and parts are any numbers that stay the
** same. Nothing here knows a world.
*/
#ifndef OBSERVE_HAPPENS_H
#define OBSERVE_HAPPENS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "world/op.h"

typedef struct Happens Happens;

/* A key of a Shared, or PART_KEYS: which keys there are. */
#define PART_KEYS 0

typedef struct Clash {
  uint64_t object, part;
  int threads[2]; /* the earlier access first */
  uint32_t tags[2];
  bool writes[2];
} Clash;

typedef void (*ClashFound)(void *ud, const Clash *c);

/* `undo`: happens_go_back will be called. `must`: locks order nothing, so what is left must be so. NULL: no memory. */
Happens *happens_new (int width, bool undo, bool must, ClashFound found, void *ud);
void happens_free (Happens *h); /* NULL is allowed */
/* Memory ran out: what came later is not known. */
bool happens_is_incomplete (const Happens *h);

/* Bits ORDER_…: what such an operation gives to and takes from its object; `must`: as in happens_new. */
unsigned happens_order (bool must, OpKind kind, uint64_t part);
/* What `from` has done happens before what `to` does next. */
void happens_edge (Happens *h, int from, int to);
/* The operation is about to take effect. `part`: of a Shared's key, else 0. */
void happens_gives (Happens *h, int thread, OpKind kind, uint64_t object, uint64_t part);
/* It has taken effect. */
void happens_takes (Happens *h, int thread, OpKind kind, uint64_t object, uint64_t part);
/* An access to a Shared; the tag comes back in a Clash. Writes to PART_KEYS do not clash with each other. */
void happens_access (Happens *h, int thread, uint64_t object, uint64_t part, bool write,
                     uint32_t tag);
/* The thread with that number is a new one: it knows nothing yet, and what the old one did is over. */
void happens_renew (Happens *h, int thread);

/* The thread's time, and whether `thread` knows of what `other` did at that time. */
uint32_t happens_time (const Happens *h, int thread);
bool happens_knows (const Happens *h, int thread, int other, uint32_t time);
/* What the thread knows of every other one. Valid until the next call. */
const uint32_t *happens_clock (const Happens *h, int thread);

size_t happens_mark (const Happens *h);
void happens_go_back (Happens *h, size_t mark);
/* As it was when it was new, keeping its memory. */
void happens_clear (Happens *h);

#endif
