/*
** queue_store.c - segments, stack and heap for queues.
*/
#include <math.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "message/message.h"
#include "objects/queue/queue_store.h"
#include "world/memory.h"

#define SEGMENT_SLOTS 127 /* a segment is one page */

struct FifoSegment {
  FifoSegment *next; /* written by producers before the count is published */
  Slot slots[SEGMENT_SLOTS];
};

static FifoSegment *new_segment (Fifo *f) {
  FifoSegment *s = atomic_exchange_explicit(&f->spare, NULL, memory_order_acquire);
  if (s == NULL) s = world_alloc(f->world, sizeof *s);
  if (s != NULL) s->next = NULL;
  return s;
}

static void retire_segment (Fifo *f, FifoSegment *s) {
  world_free(f->world, atomic_exchange_explicit(&f->spare, s, memory_order_acq_rel));
}

/* Puts a fresh segment at the tail; false: no memory. */
static bool extend (Fifo *f) {
  FifoSegment *fresh = new_segment(f);
  if (fresh == NULL) return false;
  if (f->tail != NULL) f->tail->next = fresh;
  else f->head = fresh; /* no consumer looks before the count says there is an item */
  f->tail = fresh;
  f->tail_index = 0;
  return true;
}

bool queue_fifo_add (Fifo *f, const Slot *s) {
  if ((f->tail == NULL || f->tail_index == SEGMENT_SLOTS) && !extend(f)) return false;
  f->tail->slots[f->tail_index++] = *s;
  return true;
}

/* Goes on to the segment behind the head. */
static void advance (Fifo *f) {
  FifoSegment *empty = f->head;
  f->head = empty->next;
  f->head_index = 0;
  retire_segment(f, empty);
}

void queue_fifo_take (Fifo *f, Slot *s) {
  if (f->head_index == SEGMENT_SLOTS) advance(f);
  *s = f->head->slots[f->head_index++];
}

bool queue_fifo_return (Fifo *f, const Slot *s) {
  if (f->head_index == 0) { /* others have taken and returned meanwhile */
    FifoSegment *fresh = new_segment(f);
    if (fresh == NULL) return false;
    fresh->next = f->head;
    f->head = fresh;
    f->head_index = SEGMENT_SLOTS;
  }
  f->head->slots[--f->head_index] = *s;
  return true;
}

void queue_fifo_move (Fifo *to, Fifo *from) {
  *to = (Fifo){.head = from->head, .head_index = from->head_index, .world = from->world};
  from->head = from->tail = NULL;
  from->head_index = from->tail_index = 0;
}

void queue_fifo_free (Fifo *f, uint64_t count) {
  for (; count > 0; count--) {
    Slot slot;
    queue_fifo_take(f, &slot);
    slot_free(&slot);
  }
  while (f->head != NULL) {
    FifoSegment *s = f->head;
    f->head = s->next;
    world_free(f->world, s);
  }
  world_free(f->world, atomic_load(&f->spare));
}

void queue_fifo_visit (const Fifo *f, FifoPlace *at, uint64_t n, CycleSearch *search) {
  for (; n > 0; n--) {
    if (at->segment == NULL) *at = (FifoPlace){f->head, f->head_index};
    if (at->index == SEGMENT_SLOTS) *at = (FifoPlace){at->segment->next, 0};
    slot_visit(&at->segment->slots[at->index++], search);
  }
}

void queue_fifo_tidy (Fifo *f) {
  if (f->tail != NULL && f->tail_index > 0) slot_tidy(&f->tail->slots[f->tail_index - 1]);
  if (f->head != NULL) memset(f->head->slots, 0, f->head_index * sizeof *f->head->slots);
}

/*
** Priorities.
*/

void queue_priority_of (lua_State *L, int index, Priority *p) {
  bool in_table = lua_type(L, index) == LUA_TTABLE;
  memset(p, 0, sizeof *p);
  if (in_table) lua_rawgeti(L, index, 1);
  else lua_pushvalue(L, index);
  if (lua_isinteger(L, -1)) {
    p->type = PRIORITY_INTEGER;
    p->integer = lua_tointeger(L, -1);
  }
  else if (lua_type(L, -1) == LUA_TNUMBER) {
    p->type = PRIORITY_FLOAT;
    p->number = lua_tonumber(L, -1);
    luaL_argcheck(L, p->number == p->number, index, "priority is NaN, which has no order");
  }
  else if (lua_type(L, -1) == LUA_TSTRING) {
    p->type = PRIORITY_STRING;
    p->text = lua_tolstring(L, -1, &p->length);
  }
  else {
    const char *type = luaL_getmetafield(L, -1, "__name") == LUA_TSTRING ? lua_tostring(L, -1)
                                                                         : luaL_typename(L, -1);
    luaL_argerror(
        L, index,
        lua_pushfstring(L, "number, string or table with a priority at [1] expected, got %s%s",
                        in_table ? "table with " : "", type));
  }
}

bool queue_priority_comparable (const Priority *a, const Priority *b) {
  return (a->type == PRIORITY_STRING) == (b->type == PRIORITY_STRING);
}

static bool text_less (const Priority *a, const Priority *b) {
  size_t shorter = a->length < b->length ? a->length : b->length;
  int c = memcmp(a->text, b->text, shorter);
  return c != 0 ? c < 0 : a->length < b->length;
}

/* i < f exactly, also where i has no double: an integer is below f iff it is below ceil(f). */
static bool integer_less (lua_Integer i, lua_Number f) {
  lua_Number up = ceil(f);
  if (up >= 0x1p63) return true;
  return up > -0x1p63 && i < (lua_Integer)up;
}

static bool float_less (lua_Number f, lua_Integer i) {
  lua_Number down = floor(f);
  if (down < -0x1p63) return true;
  return down < 0x1p63 && (lua_Integer)down < i;
}

static bool priority_less (const Priority *a, const Priority *b) {
  if (a->type == PRIORITY_STRING) return text_less(a, b);
  if (a->type == PRIORITY_INTEGER)
    return b->type == PRIORITY_INTEGER ? a->integer < b->integer
                                       : integer_less(a->integer, b->number);
  return b->type == PRIORITY_INTEGER ? float_less(a->number, b->integer) : a->number < b->number;
}

/*
** PriorityHeap and stack.
*/

static bool entry_before (const PriorityEntry *a, const PriorityEntry *b) {
  if (priority_less(&a->priority, &b->priority)) return true;
  return !priority_less(&b->priority, &a->priority) && a->order < b->order;
}

static bool make_room (PriorityHeap *h) {
  size_t capacity;
  PriorityEntry *entries;
  if (h->size < h->capacity) return true;
  capacity = h->capacity == 0 ? 16 : 2 * h->capacity;
  entries = world_realloc(h->world, h->entries, capacity * sizeof *entries);
  if (entries == NULL) return false;
  h->entries = entries;
  h->capacity = capacity;
  return true;
}

/* Replaces borrowed text by a copy. */
static bool own_text (PriorityHeap *h, Priority *p) {
  char *copy;
  if (p->type != PRIORITY_STRING) return true;
  copy = world_alloc(h->world, p->length + 1);
  if (copy != NULL) memcpy(copy, p->text, p->length);
  p->text = copy;
  return copy != NULL;
}

bool queue_priority_return (PriorityHeap *h, const PriorityEntry *e) {
  size_t i;
  if (!make_room(h)) return false;
  for (i = h->size++; i > 0 && entry_before(e, &h->entries[(i - 1) / 2]); i = (i - 1) / 2)
    h->entries[i] = h->entries[(i - 1) / 2];
  h->entries[i] = *e;
  return true;
}

bool queue_priority_add (PriorityHeap *h, const Slot *s, const Priority *p) {
  PriorityEntry e = {*s, *p, h->orders};
  if (!make_room(h) || !own_text(h, &e.priority)) return false;
  h->orders++;
  return queue_priority_return(h, &e);
}

void queue_priority_take (PriorityHeap *h, PriorityEntry *e) {
  PriorityEntry last = h->entries[--h->size];
  size_t i = 0, child;
  *e = h->entries[0];
  while ((child = 2 * i + 1) < h->size) {
    if (child + 1 < h->size && entry_before(&h->entries[child + 1], &h->entries[child])) child++;
    if (!entry_before(&h->entries[child], &last)) break;
    h->entries[i] = h->entries[child];
    i = child;
  }
  if (h->size > 0) h->entries[i] = last;
}

bool queue_stack_return (PriorityHeap *h, const PriorityEntry *e) {
  if (!make_room(h)) return false;
  h->entries[h->size++] = *e;
  return true;
}

bool queue_stack_add (PriorityHeap *h, const Slot *s) {
  PriorityEntry e = {.slot = *s, .order = h->orders};
  if (!queue_stack_return(h, &e)) return false;
  h->orders++;
  return true;
}

void queue_stack_take (PriorityHeap *h, PriorityEntry *e) { *e = h->entries[--h->size]; }

void queue_priority_move (PriorityHeap *to, PriorityHeap *from) {
  *to = *from;
  *from = (PriorityHeap){.orders = to->orders, .world = to->world};
}

void queue_priority_tidy (PriorityHeap *h) {
  if (h->entries == NULL) return;
  for (size_t i = 0; i < h->size; i++) slot_tidy(&h->entries[i].slot);
  memset(h->entries + h->size, 0, (h->capacity - h->size) * sizeof *h->entries);
}

void queue_priority_free (PriorityHeap *h) {
  for (size_t i = 0; i < h->size; i++) {
    slot_free(&h->entries[i].slot);
    world_free(h->world, (char *)h->entries[i].priority.text);
  }
  world_free(h->world, h->entries);
}
