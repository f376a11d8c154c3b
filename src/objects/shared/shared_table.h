/*
** shared_table.h - the table behind a Shared: keys and values outside any Lua state.
**
** Nothing in here calls Lua, locks or waits; the owner does the locking. What
** must not be freed under a lock (a value may be the last reference to a large
** object) is handed back to the caller.
**
** Keys 1..n lie in an array, all others in a hash table that remembers the
** order of insertion: two runs that do the same see the same order.
**
** What it holds is called a cell: a Slot, copied freely as long as each copy is
** counted with shared_cell_keep and ends in shared_cell_free (or slot_push_free, for values). A
** key that is a long string lies in a SharedText, which only keys use.
*/
#ifndef OBJECTS_SHARED_SHARED_TABLE_H
#define OBJECTS_SHARED_SHARED_TABLE_H

#include <stdbool.h>
#include "world/cleanup.h"
#include "message/message.h"

#define SLOT_LONG (SLOT_MESSAGE + 1)

/* A long string, counted by references. */
typedef struct SharedText {
  atomic_int refs;
  World *world;  /* const after init: in whose memory it lies */
  size_t length; /* const after init */
  char text[];   /* const after init */
} SharedText;

static inline SharedText *shared_cell_text (const Slot *cell) { return cell->u.light; }

void shared_cell_keep_other (const Slot *cell);
void shared_cell_free_other (Slot *cell);

/* A copy of a cell has been made: count it. */
static inline void shared_cell_keep (const Slot *cell) {
  if (cell->tag >= SLOT_OBJECT) shared_cell_keep_other(cell);
}

static inline void shared_cell_free (Slot *cell) {
  if (cell->tag >= SLOT_OBJECT) shared_cell_free_other(cell);
  cell->tag = SLOT_NIL;
}

/*
** A key to look for. It borrows what it points to; the table makes its own copy when it
** stores one.
*/
typedef struct SharedKey {
  union {
    lua_Integer integer;
    lua_Number number;
    void *light;
    Object *object;
    const char *text;
  } u;
  size_t length; /* of text */
  uint32_t hash;
  uint8_t tag; /* as the tag of a cell */
} SharedKey;

void shared_key_text (SharedKey *k, const char *text, size_t length);
void shared_key_integer (SharedKey *k, lua_Integer i);
void shared_key_number (SharedKey *k, lua_Number n); /* an integral one becomes an integer */
void shared_key_boolean (SharedKey *k, bool b);
void shared_key_light (SharedKey *k, void *p);
void shared_key_object (SharedKey *k, Object *o);

typedef struct SharedEntry {
  Slot key; /* SLOT_NIL: removed */
  Slot value;
  uint32_t hash;
} SharedEntry;

typedef struct SharedTable {
  World *world; /* const after init: in whose memory all of it lies */
  Slot *items;  /* values of the keys 1..length; the last one is not nil */
  size_t length, items_size;
  size_t filled;                 /* items that are not nil */
  SharedEntry *entries;          /* in order of insertion, removed ones among them */
  uint32_t *index;               /* open addressing: position in entries + 1, or 0 */
  uint64_t changes;              /* how often something has been stored or removed */
  size_t used, live, index_size; /* entries in use, those not removed; a power of two, or 0 */
} SharedTable;

/* The cell at a key, or NULL. Valid until the table changes. */
const Slot *shared_table_get (const SharedTable *t, const SharedKey *k);

/*
** Stores *value, nil to remove, and leaves the old value in its place; *key_out
** gets the table's copy of the key if it is no longer needed. Free both after
** unlocking. False: no memory, nothing changed.
*/
bool shared_table_swap (SharedTable *t, const SharedKey *k, Slot *value, Slot *key_out);

static inline size_t shared_table_count (const SharedTable *t) { return t->filled + t->live; }

static inline size_t shared_table_border (const SharedTable *t) { return t->length; }

/* For Kind.visit: some cells, from number i on. Returns the number of the next, 0: that was all. */
size_t shared_table_visit (const SharedTable *t, size_t i, CycleSearch *search);

void shared_table_tidy (SharedTable *t); /* see Kind.tidy; a large table is left as it is */
void shared_table_free (SharedTable *t); /* frees what is inside, not t itself */

/* A table's contents at one moment, with references of its own. */
typedef struct SharedTableCopy {
  Cleanup cleanup; /* first: the iterator that holds it may never be finalised */
  World *world;    /* in whose memory it lies */
  size_t length;   /* of the array part */
  Slot *items;     /* NULL without values */
  size_t count;
  SharedEntry entries[]; /* none removed; values nil without values */
} SharedTableCopy;

SharedTableCopy *shared_table_copy (const SharedTable *t, bool values); /* NULL: no memory */
void shared_table_copy_free (SharedTableCopy *c);                       /* NULL is allowed */
void shared_table_copy_key (const SharedTableCopy *c, size_t i,
                            SharedKey *k); /* the key of entry i */

#endif
