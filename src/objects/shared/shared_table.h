/*
** table.h - the table behind a Shared: keys and values outside any Lua state.
**
** Nothing in here calls Lua, locks or waits; the owner does the locking. What
** must not be freed under a lock (a value may be the last reference to a large
** object) is handed back to the caller.
**
** Keys 1..n lie in an array, all others in a hash table that remembers the
** order of insertion: two runs that do the same see the same order.
**
** What it holds is called a cell: a Slot, copied freely as long as each copy is
** counted with cell_keep and ends in cell_free (or slot_push_free, for values). A
** key that is a long string lies in a Text, which only keys use.
*/
#ifndef TABLE_H
#define TABLE_H

#include <stdbool.h>
#include "world/cleanup.h"
#include "message/message.h"

#define SLOT_LONG (SLOT_MESSAGE + 1)

/* A long string, counted by references. */
typedef struct Text {
  atomic_int refs;
  size_t length;                  /* const after init */
  char text[];                    /* const after init */
} Text;

static inline Text *cell_text (const Slot *cell) {
  return cell->u.light;
}

void cell_keep_other (const Slot *cell);
void cell_free_other (Slot *cell);

/* A copy of a cell has been made: count it. */
static inline void cell_keep (const Slot *cell) {
  if (cell->tag >= SLOT_OBJECT) cell_keep_other(cell);
}

static inline void cell_free (Slot *cell) {
  if (cell->tag >= SLOT_OBJECT) cell_free_other(cell);
  cell->tag = SLOT_NIL;
}

/* A key to look for. It borrows what it points to; the table makes its own copy when it stores one. */
typedef struct Key {
  union {
    lua_Integer integer;
    lua_Number number;
    void *light;
    Object *object;
    const char *text;
  } u;
  size_t length;                  /* of text */
  uint32_t hash;
  uint8_t tag;                    /* as the tag of a cell */
} Key;

void key_text (Key *k, const char *text, size_t length);
void key_integer (Key *k, lua_Integer i);
void key_number (Key *k, lua_Number n);  /* an integral one becomes an integer */
void key_boolean (Key *k, bool b);
void key_light (Key *k, void *p);
void key_object (Key *k, Object *o);

typedef struct Entry {
  Slot key;                       /* SLOT_NIL: removed */
  Slot value;
  uint32_t hash;
} Entry;

typedef struct Table {
  Slot *items;                    /* values of the keys 1..length; the last one is not nil */
  size_t length, items_size;
  size_t filled;                  /* items that are not nil */
  Entry *entries;                 /* in order of insertion, removed ones among them */
  uint32_t *index;                /* open addressing: position in entries + 1, or 0 */
  size_t used, live, index_size;  /* entries in use, those not removed; a power of two, or 0 */
} Table;

/* The cell at a key, or NULL. Valid until the table changes. */
const Slot *table_get (const Table *t, const Key *k);

/*
** Stores *value, nil to remove, and leaves the old value in its place; *key_out
** gets the table's copy of the key if it is no longer needed. Free both after
** unlocking. False: no memory, nothing changed.
*/
bool table_swap (Table *t, const Key *k, Slot *value, Slot *key_out);

static inline size_t table_count (const Table *t) {
  return t->filled + t->live;
}

static inline size_t table_border (const Table *t) {
  return t->length;
}

void table_free (Table *t);       /* frees what is inside, not t itself */

/* A table's contents at one moment, with references of its own. */
typedef struct Copy {
  Holding holding;                /* first: whoever holds it may never be finalised */
  size_t length;                  /* of the array part */
  Slot *items;                    /* NULL without values */
  size_t count;
  Entry entries[];                /* none removed; values nil without values */
} Copy;

Copy *table_copy (const Table *t, bool values);  /* NULL: no memory */
void copy_free (Copy *c);         /* NULL is allowed */
void copy_key (const Copy *c, size_t i, Key *k);   /* the key of entry i */

#endif
