/*
** queue_store.h - where a queue keeps its items: a list of segments (first in, first
** out), a stack, or a heap. Plain data structures; the queue's mutexes guard
** them, and nothing here touches Lua but queue_priority_of, which runs before any is
** taken.
*/
#ifndef OBJECTS_QUEUE_QUEUE_STORE_H
#define OBJECTS_QUEUE_QUEUE_STORE_H

#include <stdatomic.h>
#include <stdbool.h>
#include "message/message.h"

/*
** First in, first out: producers work at the tail, consumers at the head, each
** under a mutex of their own; they meet only in the link between segments.
*/
typedef struct FifoSegment FifoSegment;

/* All zero at first but for `world`. */
typedef struct Fifo {
  FifoSegment *tail; /* producers' */
  unsigned tail_index;
  _Atomic(FifoSegment *) spare; /* one empty segment, to spare the allocator */
  char apart[64];               /* the two sides must not share a cache line */
  unsigned head_index;          /* consumers' */
  FifoSegment *head;
  World *world; /* const after init: in whose memory the segments lie */
} Fifo;

bool queue_fifo_add (Fifo *f, const Slot *s); /* false: no memory */
void queue_fifo_take (Fifo *f, Slot *s);      /* there must be one */
/* It was the first and is so again. False: no memory, which its taker has left it as a rule. */
bool queue_fifo_return (Fifo *f, const Slot *s);
void queue_fifo_move (Fifo *to, Fifo *from); /* all items, in constant time; `from` is empty then */
void queue_fifo_free (Fifo *f, uint64_t count); /* frees the `count` items in it, then its memory */

/* Where a walk through the items is; all zero: at the first. */
typedef struct FifoPlace {
  FifoSegment *segment;
  unsigned index;
} FifoPlace;

/* Visits the next n items; none has been taken since the walk began. */
void queue_fifo_visit (const Fifo *f, FifoPlace *at, uint64_t n, CycleSearch *search);

void queue_fifo_tidy (Fifo *f); /* see Kind.tidy */

/* What a priority is: numbers come before each other as in Lua, strings byte by byte. */
typedef struct Priority {
  enum { PRIORITY_INTEGER, PRIORITY_FLOAT, PRIORITY_STRING } type;
  lua_Integer integer;
  lua_Number number;
  const char *text; /* in the heap a copy of its own */
  size_t length;
} Priority;

/*
** The priority of the item at `index`, which stays on the stack as long as it is
** borrowed from. [0, +1, raises]
*/
void queue_priority_of (lua_State *L, int index, Priority *p);
/* Whether the two can be told apart by <. */
bool queue_priority_comparable (const Priority *a, const Priority *b);

typedef struct PriorityEntry {
  Slot slot;
  Priority priority;
  uint64_t order; /* equal priorities leave in the order they came */
} PriorityEntry;

/* A heap by priority, or a stack where priorities are not used. */
typedef struct PriorityHeap {
  PriorityEntry *entries;
  size_t size, capacity;
  uint64_t orders;
  World *world; /* const after init: in whose memory the entries lie */
} PriorityHeap;

bool queue_priority_add (PriorityHeap *h, const Slot *s, const Priority *p); /* false: no memory */
void queue_priority_take (PriorityHeap *h, PriorityEntry *e); /* its text is the taker's */
bool queue_stack_add (PriorityHeap *h, const Slot *s);
void queue_stack_take (PriorityHeap *h, PriorityEntry *e);
/* An entry that has been taken is where it was, or would be by now. False: no memory. */
bool queue_priority_return (PriorityHeap *h, const PriorityEntry *e);
bool queue_stack_return (PriorityHeap *h, const PriorityEntry *e);
void queue_priority_move (PriorityHeap *to, PriorityHeap *from); /* as queue_fifo_move */
void queue_priority_tidy (PriorityHeap *h);                      /* see Kind.tidy */
void queue_priority_free (PriorityHeap *h); /* the items in it as well; stacks too */

#endif
