/*
** cycles.h - objects that are reached from each other only.
**
** Counts of references free all that is in no cycle. An object that comes to hold
** a reference to another that may hold some in turn - a queue by an item, a thread
** by its results - is known to its world from then on, as a *holder*. Now and then
** all holders are searched for those that nothing outside refers to; see cycles.c.
**
**     cycles_hold(&q->object);     before the item is put in
**     .visit = queue_visit         in its Kind: calls cycles_object for each item
*/
#ifndef WORLD_CYCLES_H
#define WORLD_CYCLES_H

#include <pthread.h>
#include <stddef.h>
#include "world/counted.h"

typedef struct Object Object;
typedef struct World World;
typedef struct CycleSearch CycleSearch;

/* In a World. */
typedef struct Cycles {
  pthread_mutex_t mu;
  Object *holders;       /* under mu */
  size_t count;          /* of them; under mu */
  atomic_uint suspects;  /* references to holders that were not the last and have gone, since the
                           last search */
  atomic_size_t live;    /* what that one looked at and found alive */
  atomic_size_t enough;  /* so many suspects make a search worth its time */
  _Atomic int64_t due;   /* by this time of the world it is in any case */
  unsigned in_vain;      /* the searcher's: searches in a row that have found nothing */
  atomic_bool searching; /* one thread does */
} Cycles;

void cycles_init (Cycles *c);

/* What is counted and holds references, but is no object: a message. */
typedef struct CyclesPart {
  void (*visit)(Counted *part, CycleSearch *search); /* it never changes */
  void (*drop)(Counted *part);
} CyclesPart;

/* For Kind.visit and CyclesPart.visit: one reference to that has been found. */
void cycles_object (CycleSearch *search, Object *o);
void cycles_part (CycleSearch *search, Counted *part, const CyclesPart *kind);
/* Room for n more that are found, which need no memory then. */
void cycles_reserve (CycleSearch *search, size_t n);

/* o is known as a holder from now on, until it is destroyed; it has a Kind.visit. */
void cycles_add_holder (Object *o);
/* It is about to be destroyed. */
void cycles_remove_holder (Object *o);

/* Whether the world has a holder at all. */
bool cycles_any (World *world);

typedef enum CyclesPoll {
  CYCLES_DROPPED,   /* a reference has gone */
  CYCLES_COLLECTED, /* so have all that a thread, or a collection of its state, had left */
  CYCLES_ASKED      /* the script has asked for a collection */
} CyclesPoll;

/*
** Searches, if references to holders have gone and it is worth its time. Destroys
** objects, so no mutex may be held.
*/
void cycles_poll (World *world, CyclesPoll why);

/*
** What the running thread alone keeps alive: holders and messages that are reached from each
** other, from the n objects whose proxies its state has, and from nowhere else. They stay
** inside as long as no Lua code runs in that state. NULL: another search runs, or there is
** no memory. All are kept alive until cycles_inside_end.
*/
CycleSearch *cycles_inside_begin (World *world, Object *const *own, int n);
void cycles_inside_end (World *world, CycleSearch *search);
size_t cycles_inside_count (const CycleSearch *search);
bool cycles_is_inside (const CycleSearch *search,
                       size_t i); /* those before the count; others are outside */
Object *cycles_inside_object (const CycleSearch *search, size_t i); /* NULL: it is a message */
size_t cycles_inside_number (const Object *o); /* from 1; 0: it is none of those looked at */
/* How many references to others it holds; their numbers, from 0. */
size_t cycles_inside_edges (const CycleSearch *search, size_t i, const uint32_t **to);

#endif
