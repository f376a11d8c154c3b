/*
** race.c - see race.h.
**
** All is done where an operation is announced. What it gives is given then, at most a
** moment before it takes effect; what it takes is taken when the thread comes to its
** next operation, at least a moment later. So between two threads there may seem to be
** more order than there is, never less: no race is told that is none.
**
** Objects and keys are known by numbers that are not used again: where and as which
** one of its thread the object was made, and a hash of the key.
*/
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "objects/kinds.h"
#include "objects/shared/shared.h"
#include "observe/happens.h"
#include "observe/race.h"
#include "thread/thread.h"

#define SLOTS 256 /* threads at a time */
#define TAKEN_MOST 64
#define TOLD_MOST 1000
#define NO_SLOT -1

/* A thread, while it lives. */
typedef struct RaceThread {
  uint64_t serial; /* 0: free */
  char name[64];
  OpKind kind; /* of the operation that has yet to take, */
  int count;   /* and from how many objects: */
  uint64_t objects[TAKEN_MOST];
  uint64_t part;
} RaceThread;

/* A line that has accessed something. */
typedef struct Access {
  SourceLine line;
  OpKind kind;
} Access;

typedef struct Told {
  uint32_t a, b;
} Told;

struct RaceWatch {
  pthread_mutex_t mu;
  /* all under mu */
  Happens *happens;
  RaceThread threads[SLOTS];
  bool used[SLOTS]; /* by a thread that has ended */
  Access *lines;
  uint32_t line_count, line_capacity;
  uint32_t *index, index_size; /* number + 1, or 0 */
  Told told[TOLD_MOST];
  int told_count;
  const Op *op; /* about to take effect */
  bool over;    /* too much to follow */
};

/*
** Numbers.
*/

static uint64_t id_of (const Object *o) {
  if (o == NULL) return 0;
  return o->maker != 0 ? (uint64_t)o->maker << 32 | o->nth : (uint64_t)(uintptr_t)o | 1ull << 63;
}

static uint64_t hash (uint64_t h, const void *bytes, size_t n) {
  const unsigned char *p = bytes;
  while (n-- > 0) h = (h ^ *p++) * 1099511628211u;
  return h;
}

/* Neither 0 nor PART_KEYS. */
static uint64_t part_of (const SharedKey *k) {
  uint64_t h = 14695981039346656037u, id;
  if (k->tag == SLOT_TEXT_IN || k->tag == SLOT_LONG) return hash(h, k->u.text, k->length) | 1;
  h = hash(h, &k->tag, sizeof k->tag);
  if (k->tag == SLOT_OBJECT) {
    id = id_of(k->u.object);
    h = hash(h, &id, sizeof id);
  }
  else if (k->tag == SLOT_INTEGER || k->tag == SLOT_FLOAT || k->tag == SLOT_LIGHT)
    h = hash(h, &k->u, sizeof(uint64_t));
  return h | 1;
}

static uint32_t *find_line (RaceWatch *r, const Access *a) {
  uint64_t h =
      hash((uint64_t)a->line.line * 31 + (uint64_t)a->kind, a->line.source, strlen(a->line.source));
  uint32_t i = (uint32_t)(h ^ (h >> 32)) & (r->index_size - 1);
  for (; r->index[i] != 0; i = (i + 1) & (r->index_size - 1)) {
    const Access *b = &r->lines[r->index[i] - 1];
    if (a->line.line == b->line.line && a->kind == b->kind
        && strcmp(a->line.source, b->line.source) == 0)
      break;
  }
  return &r->index[i];
}

static bool grow_lines (RaceWatch *r) {
  uint32_t capacity = r->line_capacity > 0 ? 2 * r->line_capacity : 64;
  Access *lines;
  uint32_t *index;
  if (r->line_count < r->line_capacity) return true;
  lines = realloc(r->lines, capacity * sizeof *lines);
  if (lines == NULL) return false;
  r->lines = lines;
  index = calloc(2 * capacity, sizeof *index);
  if (index == NULL) return false;
  free(r->index);
  r->index = index;
  r->index_size = 2 * capacity;
  r->line_capacity = capacity;
  for (uint32_t i = 0; i < r->line_count; i++) *find_line(r, &r->lines[i]) = i + 1;
  return true;
}

/* The number of the line; 0 where there is no memory. */
static uint32_t line_of (RaceWatch *r, const Access *a) {
  uint32_t *slot;
  if (!grow_lines(r)) {
    r->over = true;
    return 0;
  }
  slot = find_line(r, a);
  if (*slot == 0) {
    r->lines[r->line_count] = *a;
    *slot = ++r->line_count;
  }
  return *slot - 1;
}

/*
** Telling.
*/

static void key_text (const Op *op, char text[64]) {
  const SharedKey *k = op->key;
  char name[64];
  switch (k != NULL ? k->tag : SLOT_NIL) {
    case SLOT_TEXT_IN:
    case SLOT_LONG:
      snprintf(text, 64, "'%.*s'", k->length < 40 ? (int)k->length : 40, k->u.text);
      break;
    case SLOT_INTEGER: snprintf(text, 64, "[%lld]", (long long)k->u.integer); break;
    case SLOT_FLOAT: snprintf(text, 64, "[%.14g]", k->u.number); break;
    case SLOT_OBJECT: snprintf(text, 64, "[%.50s]", object_name(k->u.object, name)); break;
    default: snprintf(text, 64, "the keys"); break;
  }
}

static const char *does (OpKind kind) {
  switch (kind) {
    case OP_READ: return "gets it";
    case OP_WRITE: return "sets it";
    case OP_SNAPSHOT: return "takes a snapshot";
    default: return "looks which keys there are";
  }
}

static void tell_access (RaceWatch *r, int thread, uint32_t line) {
  const Access *a = &r->lines[line];
  fprintf(stderr, "  %s %s at %s:%d\n", r->threads[thread].name, does(a->kind), a->line.source,
          a->line.line);
}

static bool is_told (RaceWatch *r, uint32_t a, uint32_t b) {
  Told t = a < b ? (Told){a, b} : (Told){b, a};
  for (int i = 0; i < r->told_count; i++)
    if (r->told[i].a == t.a && r->told[i].b == t.b) return true;
  if (r->told_count == TOLD_MOST) return true;
  r->told[r->told_count++] = t;
  return false;
}

static void found (void *ud, const Clash *c) {
  RaceWatch *r = ud;
  char key[64], name[64];
  if (is_told(r, c->tags[0], c->tags[1])) return;
  key_text(r->op, key);
  flockfile(stderr);
  fprintf(stderr, "luasync: race on %s of %s '%s': nothing orders\n", key,
          r->op->object->kind->name, object_name(r->op->object, name));
  tell_access(r, c->threads[0], c->tags[0]);
  tell_access(r, c->threads[1], c->tags[1]);
  funlockfile(stderr);
  atomic_fetch_add(&r->op->object->world->errors_untaken, 1);
}

/*
** Threads.
*/

/*
** The slot of the running thread; NO_SLOT: there are too many threads. A slot is not
** used again soon, since what its last thread has done is forgotten then.
*/
static int slot_of (RaceWatch *r, Thread *self) {
  int first = (int)(self->serial % SLOTS), free = NO_SLOT;
  for (int i = 0; i < SLOTS; i++) {
    int slot = (first + i) % SLOTS;
    if (r->threads[slot].serial == self->serial) return slot;
    if (r->threads[slot].serial != 0) continue;
    if (free == NO_SLOT) free = slot;
  }
  if (free == NO_SLOT) {
    fprintf(stderr, "luasync: --race: more than %d threads at a time are not followed\n", SLOTS);
    r->over = true;
    return NO_SLOT;
  }
  if (r->used[free]) happens_renew(r->happens, free);
  r->threads[free].serial = self->serial;
  r->threads[free].count = 0;
  return free;
}

static void take_what_is_due (RaceWatch *r, int slot) {
  RaceThread *t = &r->threads[slot];
  for (int i = 0; i < t->count; i++)
    happens_takes(r->happens, slot, t->kind, t->objects[i], t->part);
  t->count = 0;
}

static void give (RaceWatch *r, int slot, const Op *op) {
  RaceThread *t = &r->threads[slot];
  t->kind = op->kind;
  t->part = op->key != NULL ? part_of(op->key) : 0;
  t->count = 0;
  for (int i = 0; op->among != NULL && i < op->among_count && i < TAKEN_MOST; i++)
    t->objects[t->count++] = id_of(op->among[i]->object);
  if (op->among == NULL) t->objects[t->count++] = id_of(op->object);
  for (int i = 0; i < t->count; i++)
    happens_gives(r->happens, slot, t->kind, t->objects[i], t->part);
  if (op->kind == OP_WAIT && op->second != NULL)
    happens_gives(r->happens, slot, OP_RELEASE, id_of(op->second), 0);
}

static bool is_data (const Op *op) {
  return (op_info[op->kind].order & ORDER_DATA) && op->object->kind == &shared_kind;
}

static void access_data (RaceWatch *r, int slot, const Op *op, const Access *a, bool keys) {
  uint64_t object = id_of(op->object), part = op->key != NULL ? part_of(op->key) : PART_KEYS;
  bool write = op->kind == OP_WRITE;
  uint32_t line = line_of(r, a);
  if (r->over) return;
  r->op = op;
  happens_access(r->happens, slot, object, part, write, line);
  if (write && keys) happens_access(r->happens, slot, object, PART_KEYS, true, line);
}

static void before (void *ud, Thread *self) {
  RaceWatch *r = ud;
  int slot;
  pthread_mutex_lock(&r->mu);
  slot = r->over ? NO_SLOT : slot_of(r, self);
  if (slot != NO_SLOT) take_what_is_due(r, slot);
  pthread_mutex_unlock(&r->mu);
}

static void follow (RaceWatch *r, Thread *self, const Op *op, const Access *a, const char *name,
                    bool keys) {
  int slot = slot_of(r, self);
  if (slot == NO_SLOT) return;
  happens_takes(r->happens, slot, OP_QUEUE_JOIN, id_of(&self->object), 0); /* start, interrupts */
  give(r, slot, op);
  if (is_data(op)) {
    memcpy(r->threads[slot].name, name, sizeof r->threads[slot].name);
    access_data(r, slot, op, a, keys);
  }
  if (op->kind == OP_END && self != self->object.world->main) {
    r->threads[slot].serial = 0;
    r->used[slot] = true;
  }
  if (happens_is_incomplete(r->happens)) r->over = true;
}

/* What takes other mutexes, or asks Lua, comes before mu. */
static void now (void *ud, Thread *self, const Op *op) {
  RaceWatch *r = ud;
  Access a = {.kind = op->kind};
  char name[64] = "";
  bool keys = false;
  if (is_data(op)) {
    source_line_here(op->L, &a.line);
    thread_copy_name(self, name);
    keys = op->kind == OP_WRITE && shared_has_key(op->object, op->key) == op->removes;
  }
  pthread_mutex_lock(&r->mu);
  if (!r->over) follow(r, self, op, &a, name, keys);
  pthread_mutex_unlock(&r->mu);
}

/*
** Beginning and end.
*/

static const Listener listener = {before, now};

RaceWatch *race_watch (World *world) {
  RaceWatch *r = calloc(1, sizeof *r);
  if (r == NULL) return NULL;
  r->happens = happens_new(SLOTS, false, false, found, r);
  if (r->happens == NULL) {
    free(r);
    return NULL;
  }
  pthread_mutex_init(&r->mu, NULL);
  world_listen(world, &listener, r);
  return r;
}

void race_free (RaceWatch *r) {
  if (r == NULL) return;
  happens_free(r->happens);
  free(r->lines);
  free(r->index);
  pthread_mutex_destroy(&r->mu);
  free(r);
}
