/*
** numbering.c - see numbering.h.
*/
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "explore/history.h"
#include "explore/numbering.h"
#include "objects/kinds.h"
#include "objects/shared/shared.h"

#define FIRST_OBJECT 3
#define FIRST_MADE 64 /* objects of a thread whose numbers are at hand */
#define TOO_MANY "more than 62 threads cannot be explored; a seed gives one schedule of any number"
#define TARGET 1  /* the part of a timer that is whether it calls its target */
#define MEMBERS 1 /* the part of a scope, or of a pool's queue, that is its living threads */
#define SHAPE 0   /* the part of a Shared that # and pairs read: which keys there are */

bool numbering_init (Numbering *g) {
  *g = (Numbering){.threads = name_table(),
                   .objects = name_table(),
                   .keys = name_table(),
                   .made = calloc((HISTORY_THREADS + 1) * FIRST_MADE, sizeof *g->made)};
  return g->threads != NULL && g->objects != NULL && g->keys != NULL && g->made != NULL;
}

void numbering_free (Numbering *g) {
  name_table_free(g->threads);
  name_table_free(g->objects);
  name_table_free(g->keys);
  free(g->number);
  free(g->made);
}

/* The number of the thread with that serial; -1: it has none. */
static int maker_of (const Numbering *g, uint32_t maker) {
  return maker > 0 && (int)maker <= g->count ? g->number[maker - 1] : -1;
}

/* The number of what that thread has made as its nth. */
static uint32_t number_of (NameTable *t, int by, uint32_t nth) {
  int32_t name[2] = {by, (int32_t)nth};
  return name_number(t, name, sizeof name);
}

uint32_t numbering_made (Numbering *g, uint32_t maker, uint32_t nth) {
  int by = maker_of(g, maker);
  uint32_t *made = nth < FIRST_MADE ? &g->made[(uint32_t)(by + 1) * FIRST_MADE + nth] : NULL;
  if (made != NULL && *made != 0) return FIRST_OBJECT + *made - 1;
  nth = number_of(g->objects, by, nth);
  if (made != NULL) *made = nth + 1;
  return FIRST_OBJECT + nth;
}

uint32_t numbering_object (Numbering *g, const Object *o) {
  return numbering_made(g, o->maker, o->nth);
}

/* The number of a thread that has been started. */
static int thread_number (Numbering *g, int serial, const Thread *t, const char **problem) {
  uint32_t n;
  if (serial == 0) return 0;
  n = number_of(g->threads, maker_of(g, t->object.maker), t->object.nth);
  if (n == UINT32_MAX || n + 2 >= HISTORY_THREADS) {
    *problem = n == UINT32_MAX ? "not enough memory" : TOO_MANY;
    return -1;
  }
  return (int)n + 2;
}

static bool reserve (Numbering *g, int count) {
  if (!grow_list32(&g->number, &g->capacity, (uint32_t)count, sizeof *g->number)) return false;
  while (g->count < count) g->number[g->count++] = -1;
  return true;
}

int numbering_thread (Numbering *g, int serial, const Thread *t, const char **problem) {
  if (!reserve(g, serial + 1)) {
    *problem = "not enough memory";
    return -1;
  }
  if (g->number[serial] < 0) g->number[serial] = thread_number(g, serial, t, problem);
  return g->number[serial];
}

void numbering_forget (Numbering *g, int from) {
  if (g->count > from) g->count = from;
}

uint32_t numbering_part (Numbering *g, const SharedKey *k) {
  unsigned char name[1 + sizeof(uint64_t)];
  uint32_t object;
  if (k->tag == SLOT_TEXT_IN || k->tag == SLOT_LONG)
    return 1 + name_number(g->keys, k->u.text, k->length);
  memset(name, 0, sizeof name);
  name[0] = k->tag;
  if (k->tag == SLOT_OBJECT) {
    object = numbering_object(g, k->u.object);
    memcpy(name + 1, &object, sizeof object);
  }
  else if (k->tag == SLOT_INTEGER || k->tag == SLOT_FLOAT || k->tag == SLOT_LIGHT)
    memcpy(name + 1, &k->u, sizeof(uint64_t));
  return 1 + name_number(g->keys, name, sizeof name);
}

/*
** Footprints.
*/

static int shared_accesses (Numbering *g, const Op *op, Access *a) {
  bool write = !(op_info[op->kind].flags & OP_READS);
  bool there;
  a[0].part = op->key != NULL           ? numbering_part(g, op->key)
              : op->kind == OP_SNAPSHOT ? PART_ALL
                                        : SHAPE;
  if (op->key == NULL || !write) return 1;
  there = shared_has_key(op->object, op->key);
  if (op->kind == OP_UPDATE ? there : there != op->removes) return 1;
  a[1] = (Access){.object = a[0].object, .part = SHAPE, .write = true};
  return 2;
}

unsigned numbering_needs (const Op *op) { return op->until == 0 ? 0 : op_info[op->kind].needs; }

/* A select looks at all its objects, and takes from one. */
static int select_accesses (Numbering *g, const Op *op, Access *a) {
  int n = op->among_count < ACCESSES_MOST ? op->among_count : ACCESSES_MOST;
  for (int i = 0; i < n; i++) {
    const Object *o = op->among[i]->object;
    bool only_looks = o->kind == &event_kind || o->kind == &thread_kind || o->kind == &timer_kind
                      || o->kind == &future_kind;
    a[i] = (Access){
        .object = numbering_object(g, o), .write = !only_looks, .needs = numbering_needs(op)};
  }
  return n;
}

/*
** Starts and ends of its threads change places with each other, but not with whoever
** waits for the last end.
*/
static int life_accesses (Numbering *g, const Op *op, Access *a) {
  const Object *owner = ((const Thread *)op->object)->owner;
  a[1] = (Access){.object = WORLD_OBJECT, .write = false};
  if (owner == NULL) return 2;
  a[2] = (Access){.object = numbering_object(g, owner), .part = MEMBERS, .write = false};
  return 3;
}

bool numbering_joins_all (const Op *op, const Object **owner) {
  RecordedFacts facts = {0};
  *owner = op->object;
  if (op->kind == OP_EXIT_LAST) return true;
  if (op->kind != OP_SCOPE_JOIN && op->kind != OP_POOL_JOIN) return false;
  if (op->object->kind->recorded != NULL) op->object->kind->recorded(op->object, &facts);
  if (facts.same != NULL) *owner = facts.same;
  return true;
}

int numbering_accesses (Numbering *g, const Op *op, Access *a) {
  const OpInfo *info = &op_info[op->kind];
  const Object *owner;
  bool write = !(info->flags & OP_READS);
  if (op->kind == OP_SLEEP || op->kind == OP_CLOCK) {
    a[0] = (Access){.object = CLOCK_OBJECT};
    return 1;
  }
  if (op->kind == OP_EXIT) return 0;
  if (op->kind == OP_OUTPUT) {
    a[0] = (Access){.object = OUTPUT_OBJECT, .write = true};
    return 1;
  }
  if (op->object == NULL) { /* a look at all threads depends on each start and end */
    a[0] = (Access){.object = WORLD_OBJECT, .write = true, .needs = numbering_needs(op)};
    return 1;
  }
  if (op->among != NULL) return select_accesses(g, op, a);
  a[0] = (Access){
      .object = numbering_object(g, op->object), .write = write, .needs = numbering_needs(op)};
  if (op->object->kind == &shared_kind && op->kind != OP_LOOK) return shared_accesses(g, op, a);
  if (op->kind == OP_START || op->kind == OP_END) return life_accesses(g, op, a);
  if (op->object->kind == &timer_kind && (op->kind == OP_TIMER || op->kind == OP_CANCEL))
    a->part = TARGET; /* nothing to its end */
  if (numbering_joins_all(op, &owner)) {
    a[0] = (Access){numbering_object(g, owner), MEMBERS, true, numbering_needs(op)};
    return 1;
  }
  if (op->second == NULL) return 1;
  a[1] = (Access){.object = numbering_object(g, op->second), .write = op->kind == OP_WAIT};
  return 2;
}

unsigned numbering_grips (Numbering *g, const Op *op) {
  const Thread *t = (const Thread *)op->object;
  const char *problem;
  int target;
  if (op->kind == OP_SETTLE) return GRIPS_ALL;
  if (op->kind == OP_EXIT || op->kind == OP_EXIT_LAST) return GRIPS_LOUD;
  if (op->kind != OP_INTERRUPT) return GRIPS_NONE;
  if (op->object->kind == &scope_kind) return GRIPS_ALL; /* all of its threads */
  /* the one it will have where it has not been started: another may do so before the interrupt */
  target = thread_number(g, (int)t->serial - 1, t, &problem);
  return target >= 0 ? (unsigned)target : GRIPS_NONE;
}

bool numbering_is_short (const Numbering *g) {
  return name_table_is_short(g->threads) || name_table_is_short(g->objects)
         || name_table_is_short(g->keys);
}

/*
** Life.
*/

static bool is_thread (const Object *o) {
  return o->kind == &thread_kind || o->kind == &timer_kind;
}

bool numbering_looks_at_life (const Op *op) {
  if (op->kind == OP_INTERRUPT) return true;
  if (op->kind == OP_LOOK) return op->object == NULL || is_thread(op->object);
  if (op->kind == OP_JOIN || op->kind == OP_SCOPE_JOIN || op->kind == OP_POOL_JOIN)
    return op->until != FOREVER;
  for (int i = 0; op->among != NULL && i < op->among_count; i++) {
    const Object *o = op->among[i]->object;
    if (is_thread(o) && !((const Thread *)o)->is_main) return true;
  }
  return false;
}

bool numbering_meets_start (const Op *op, int serial) {
  const Thread *t = (const Thread *)op->object;
  if (op->kind == OP_SCOPE_JOIN) return (int)op->object->maker != serial + 1;
  if (op->kind == OP_START && atomic_load(&t->life) != LIFE_NEW) return true;
  return (op->kind == OP_START || (op->kind == OP_JOIN && t->was_unstarted)) && t->owner == NULL
         && (int)op->object->maker != serial + 1;
}

bool numbering_is_waited_for (const Op *op, const Thread *self) {
  return op->kind == OP_START && self->daemon && !((const Thread *)op->object)->daemon;
}

bool numbering_starts_late (const Op *op, int serial) {
  const Object *owner = op->kind == OP_START ? ((const Thread *)op->object)->owner : NULL;
  if (owner == NULL) return false;
  return owner->kind != &scope_kind || (int)owner->maker != serial + 1;
}

/*
** For the watch.
*/

WatchedStep numbering_watched (Numbering *g, const Op *op, const Thread *self, int thread,
                               uint32_t among[ACCESSES_MOST]) {
  bool looks = op->object != NULL && op->object->kind == &shared_kind
               && (op_info[op->kind].flags & OP_READS);
  WatchedStep s = {.thread = thread,
                   .self = numbering_object(g, &self->object),
                   .kind = op->kind,
                   .object = op->object != NULL ? numbering_object(g, op->object) : 0,
                   .second = op->second != NULL ? numbering_object(g, op->second) : 0,
                   .part = op->key != NULL ? numbering_part(g, op->key) : 0,
                   .removes = op->removes,
                   .keys = op->kind == OP_WRITE && op->key != NULL
                           && shared_has_key(op->object, op->key) == op->removes,
                   .empty = looks && op->kind != OP_LOOK && shared_is_empty(op->object),
                   .patient = op->until == FOREVER,
                   .tries = op->until == 0,
                   .among = among};
  for (int i = 0; op->among != NULL && i < op->among_count && i < ACCESSES_MOST; i++)
    among[s.among_count++] = numbering_object(g, op->among[i]->object);
  return s;
}
