/*
** shared.h - the inside of a Shared, for the files that make it up: shared.c
** (one table: reads, writes, pairs), shared_update.c (sync.update, and waiting
** for it to end) and shared_copy.c (whole trees: plain tables becoming Shared,
** snapshots, named tables).
*/
#ifndef OBJECTS_SHARED_SHARED_H
#define OBJECTS_SHARED_SHARED_H

#include "message/message.h"
#include "objects/kinds.h"
#include "objects/shared/shared_table.h"
#include "thread/thread.h"
#include "world/record.h"

typedef struct Shared {
  Object object;
  pthread_mutex_t mu;
  SharedTable table;         /* under mu */
  Line line;                 /* under mu: threads that wait for an update to end */
  _Atomic(Thread *) updater; /* written under mu; the thread in sync.update, or NULL */
  struct Shared *outer;      /* the updater's: the table it was updating already */
  struct Shared *awaited;    /* under circles_mu: the table the updater waits for */
} Shared;

/* Why a table cannot be entered. */
typedef enum SharedRefusal {
  SHARED_ENTERED,
  SHARED_TOUCHED,
  SHARED_CIRCLE,
  SHARED_INTERRUPTED
} SharedRefusal;

SharedRefusal shared_enter_slowly (lua_State *L, Shared *s, OpKind kind);
void shared_pass_on (Shared *s);
/* The innermost table this state updates, or NULL. [0, 0, -] */
Shared *shared_innermost (lua_State *L);
void shared_set_innermost (lua_State *L, Shared *s);
/* Raises the error of a refusal. [0, 0, raises] */
int shared_refuse (lua_State *L, SharedRefusal why);

/*
** Takes mu once nobody updates the table. Anything but SHARED_ENTERED: mu is not held;
** free what there is to free, then shared_refuse. [0, 0, -]
*/
static inline SharedRefusal shared_enter (lua_State *L, Shared *s, OpKind kind) {
  pthread_mutex_lock(&s->mu);
  if (__builtin_expect(atomic_load_explicit(&s->updater, memory_order_relaxed) == NULL, 1))
    return SHARED_ENTERED;
  return shared_enter_slowly(L, s, kind);
}

/* Releases mu; wakes the first in line, which will do the same. */
static inline void shared_leave (Shared *s) {
  if (__builtin_expect(s->line.first == NULL, 1)) pthread_mutex_unlock(&s->mu);
  else shared_pass_on(s);
}

/* As announce, for one key. */
static inline void shared_announce (lua_State *L, OpKind kind, Shared *s, const SharedKey *k) {
  if (world_is_observed())
    world_announce(&(Op){.kind = kind, .object = &s->object, .key = k, .until = FOREVER, .L = L});
}

/* Whether the table has the SharedKey at present. Nobody updates it. */
bool shared_has_key (Object *o, const void *key);
bool shared_is_empty (Object *o);

/* When a call took effect, and how many keys there were after it; keys -1: nothing is recorded. */
typedef struct SharedMoment {
  Nanos time;
  int64_t keys;
} SharedMoment;

/* The moment of an effect, under mu: in a recording of OS threads it stands in its order. */
static inline void shared_note (const Shared *s, SharedMoment *moment) {
  if (record_is_on())
    *moment = (SharedMoment){record_now(), (int64_t)shared_table_count(&s->table)};
  else *moment = (SharedMoment){0, -1};
}

/* For the recording: the value at `value` was read or written at the key then. [0, 0, -] */
void shared_record (lua_State *L, OpKind op, Shared *s, int key, int value,
                    const SharedMoment *moment);

/* The cell is about to be stored at the key: see cycles.h. */
static inline void shared_hold (Shared *s, const SharedKey *k, const Slot *cell) {
  if (slot_leads(cell) || (k->tag == SLOT_OBJECT && k->u.object->kind->visit != NULL))
    cycles_hold(&s->object);
}

/* Makes an empty Shared and pushes its proxy. [0, +1, raises] */
Shared *shared_create (lua_State *L, int options);

/*
** Reads a key. NULL, or why it cannot be one; nil and NaN are unfit only to write.
** [0, +(0|1), memory]
*/
const char *shared_key (lua_State *L, int index, SharedKey *k, bool write);
/* The same, raising what is wrong. [0, 0, raises] */
void shared_check_key (lua_State *L, int index, SharedKey *k, bool write);
void shared_push_key (lua_State *L, const Slot *cell);

/*
** Encodes the value at `index`; a plain table becomes a Shared first, in its place.
** [0, 0, raises]
*/
void shared_set_value (lua_State *L, int index, Slot *cell, World *world);

/*
** Makes Shared tables of the plain table at `index`, leaving the proxy of the first.
** [0, +1, raises]
*/
void shared_convert (lua_State *L, int index, int options);

/* A table's contents at one moment, in a userdata that frees them. */
typedef struct Snapshot {
  SharedTableCopy *copy; /* NULL: nothing, or no more */
  size_t position;       /* pairs: what has been passed */
  /* Calls that read the copy: a finaliser that runs meanwhile may use the same
     snapshot, but not free the copy. After an error it is left to the collector. */
  int readers;
} Snapshot;

/* Pushes an empty snapshot with one user value. [0, +1, memory] */
Snapshot *shared_new_snapshot (lua_State *L);
/* Announces, waits for an update to end, and copies the contents. [0, 0, raises] */
void shared_take (lua_State *L, Shared *s, Snapshot *snapshot, bool values);
/* Frees the copy, if there is one and nobody reads it. */
void shared_free_snapshot (Snapshot *snapshot);

#endif
