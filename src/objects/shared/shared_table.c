/*
** shared_table.c - a hash table with an array part, made of plain C data.
**
** The hash part is an array of entries in order of insertion, and an index of
** positions in it. Removing an entry only marks it; the index still leads to it,
** which keeps the chains of others whole. When the entries are full they are
** packed, or moved to twice the room when most are alive.
*/

#include "message/message.h"
#include "objects/shared/shared_table.h"
#include "world/memory.h"

#define MULTIPLIER UINT64_C(0x9E3779B97F4A7C15) /* 2^64 / golden ratio, odd */
#define FIRST_ITEMS 4
#define FIRST_INDEX 4
#define TIDY_MOST 64 /* cells */

/*
** Cells.
*/

static SharedText *new_text (World *world, const char *text, size_t length) {
  SharedText *t = world_alloc(world, sizeof *t + length);
  if (t == NULL) return NULL;
  atomic_init(&t->refs, 1);
  t->world = world;
  t->length = length;
  memcpy(t->text, text, length);
  return t;
}

void shared_cell_keep_other (const Slot *cell) {
  switch (cell->tag) {
    case SLOT_OBJECT: object_keep(cell->u.object); break;
    case SLOT_MESSAGE: message_keep(cell->u.message); break;
    default: atomic_fetch_add_explicit(&shared_cell_text(cell)->refs, 1, memory_order_relaxed);
  }
}

void shared_cell_free_other (Slot *cell) {
  if (cell->tag != SLOT_LONG) slot_free(cell);
  else if (atomic_fetch_sub_explicit(&shared_cell_text(cell)->refs, 1, memory_order_acq_rel) == 1)
    world_free(shared_cell_text(cell)->world, cell->u.light);
}

/*
** Keys.
*/

static uint32_t mix (uint64_t x) {
  x *= MULTIPLIER;
  x ^= x >> 32;
  x *= MULTIPLIER;
  return (uint32_t)(x >> 32);
}

/* Up to eight bytes as a number; two reads that may overlap cover any length from four on. */
static uint64_t few_bytes (const char *text, size_t n) {
  uint32_t low, high;
  if (n >= 4) {
    memcpy(&low, text, 4);
    memcpy(&high, text + n - 4, 4);
    return low | (uint64_t)high << 32;
  }
  if (n == 0) return 0;
  low = (unsigned char)text[0] | (uint32_t)(unsigned char)text[n / 2] << 8;
  return low | (uint32_t)(unsigned char)text[n - 1] << 16;
}

static uint32_t hash_text (const char *text, size_t n) {
  uint64_t h = n * MULTIPLIER, word;
  for (; n > 8; text += 8, n -= 8) {
    memcpy(&word, text, 8);
    h = (h ^ word) * MULTIPLIER;
    h ^= h >> 29;
  }
  return mix(h ^ few_bytes(text, n));
}

void shared_key_text (SharedKey *k, const char *text, size_t length) {
  k->tag = length <= SLOT_TEXT ? SLOT_TEXT_IN : SLOT_LONG;
  k->u.text = text;
  k->length = length;
  k->hash = hash_text(text, length);
}

void shared_key_integer (SharedKey *k, lua_Integer i) {
  k->tag = SLOT_INTEGER;
  k->u.integer = i;
  k->hash = mix((uint64_t)i);
}

void shared_key_number (SharedKey *k, lua_Number n) {
  lua_Integer i;
  uint64_t bits;
  if (lua_numbertointeger(n, &i) && (lua_Number)i == n) {
    shared_key_integer(k, i);
    return;
  }
  k->tag = SLOT_FLOAT;
  k->u.number = n;
  memcpy(&bits, &n, sizeof bits);
  k->hash = mix(bits);
}

void shared_key_boolean (SharedKey *k, bool b) {
  k->tag = b ? SLOT_TRUE : SLOT_FALSE;
  k->hash = k->tag;
}

void shared_key_light (SharedKey *k, void *p) {
  k->tag = SLOT_LIGHT;
  k->u.light = p;
  k->hash = mix((uintptr_t)p);
}

/* By kind and number, which are the same in every run, as addresses are not. */
void shared_key_object (SharedKey *k, Object *o) {
  k->tag = SLOT_OBJECT;
  k->u.object = o;
  k->hash = mix(o->number ^ (uint64_t)(unsigned char)o->kind->name[0] << 32);
}

static bool matches (const SharedEntry *e, const SharedKey *k) {
  if (e->hash != k->hash || e->key.tag != k->tag) return false;
  switch (k->tag) {
    case SLOT_INTEGER: return e->key.u.integer == k->u.integer;
    case SLOT_FLOAT: return e->key.u.number == k->u.number;
    case SLOT_LIGHT: return e->key.u.light == k->u.light;
    case SLOT_OBJECT: return e->key.u.object == k->u.object;
    case SLOT_TEXT_IN:
      return e->key.length == k->length && memcmp(e->key.u.text, k->u.text, k->length) == 0;
    case SLOT_LONG:
      return shared_cell_text(&e->key)->length == k->length
             && memcmp(shared_cell_text(&e->key)->text, k->u.text, k->length) == 0;
    default: return true; /* booleans: the tag says it */
  }
}

/* The table's own copy of a key. False: no memory. */
static bool store_key (World *world, Slot *cell, const SharedKey *k) {
  cell->tag = k->tag;
  switch (k->tag) {
    case SLOT_INTEGER: cell->u.integer = k->u.integer; return true;
    case SLOT_FLOAT: cell->u.number = k->u.number; return true;
    case SLOT_LIGHT: cell->u.light = k->u.light; return true;
    case SLOT_OBJECT:
      cell->u.object = k->u.object;
      object_keep(cell->u.object);
      return true;
    case SLOT_TEXT_IN:
      cell->length = (uint8_t)k->length;
      memcpy(cell->u.text, k->u.text, k->length);
      return true;
    case SLOT_LONG:
      cell->u.light = new_text(world, k->u.text, k->length);
      return cell->u.light != NULL;
    default: return true;
  }
}

/*
** The hash part.
*/

static size_t entries_size (const SharedTable *t) { return t->index_size / 4 * 3; }

static void index_add (SharedTable *t, size_t position) {
  size_t mask = t->index_size - 1;
  size_t i = t->entries[position].hash & mask;
  while (t->index[i] != 0) i = (i + 1) & mask;
  t->index[i] = (uint32_t)(position + 1);
}

static SharedEntry *find (const SharedTable *t, const SharedKey *k) {
  size_t mask = t->index_size - 1;
  if (t->live == 0) return NULL;
  for (size_t i = k->hash & mask; t->index[i] != 0; i = (i + 1) & mask) {
    SharedEntry *e = &t->entries[t->index[i] - 1];
    if (matches(e, k)) return e;
  }
  return NULL;
}

/* Makes room for one more entry: packs them, in twice the space if more than half are alive. */
static bool make_room (SharedTable *t) {
  SharedTable new = *t;
  if (t->index_size == 0) new.index_size = FIRST_INDEX;
  else if (t->live > entries_size(t) / 2) new.index_size *= 2;
  if (new.index_size > UINT32_MAX) return false;
  new.entries = world_alloc(t->world, entries_size(&new) * sizeof *new.entries);
  new.index = world_alloc_zeroed(t->world, new.index_size * sizeof *new.index);
  if (new.entries == NULL || new.index == NULL) {
    world_free(t->world, new.entries);
    world_free(t->world, new.index);
    return false;
  }
  new.used = 0;
  for (size_t i = 0; i < t->used; i++) {
    if (t->entries[i].key.tag == SLOT_NIL) continue;
    new.entries[new.used] = t->entries[i];
    index_add(&new, new.used++);
  }
  world_free(t->world, t->entries);
  world_free(t->world, t->index);
  *t = new;
  return true;
}

/* Appends an entry, taking *value over. */
static bool add (SharedTable *t, const SharedKey *k, Slot *value) {
  SharedEntry *e;
  if (t->used == entries_size(t) && !make_room(t)) return false;
  e = &t->entries[t->used];
  if (!store_key(t->world, &e->key, k)) return false;
  e->hash = k->hash;
  e->value = *value;
  value->tag = SLOT_NIL;
  index_add(t, t->used++);
  t->live++;
  return true;
}

/* Marks an entry removed; its key and value are the caller's. */
static void take_out (SharedTable *t, SharedEntry *e, Slot *value, Slot *key_out) {
  *value = e->value;
  *key_out = e->key;
  e->key.tag = e->value.tag = SLOT_NIL;
  t->live--;
  if (t->live == 0 && t->used >= entries_size(t) / 2) {
    t->used = 0; /* nothing left: start anew, which pays for itself */
    memset(t->index, 0, t->index_size * sizeof *t->index);
  }
}

/*
** The array part.
*/

static bool resize_items (SharedTable *t, size_t size) {
  Slot *items = size > SIZE_MAX / sizeof *items
                    ? NULL
                    : world_realloc(t->world, t->items, size * sizeof *items);
  if (items == NULL) return false;
  t->items = items;
  t->items_size = size;
  return true;
}

static bool reserve_item (SharedTable *t) {
  if (t->length < t->items_size) return true;
  return resize_items(t, t->items_size == 0 ? FIRST_ITEMS : t->items_size * 2);
}

static void push_item (SharedTable *t, const Slot *value) {
  t->items[t->length++] = *value;
  t->filled++;
}

/* Moves the key that comes next from the hash part, if it is there. */
static bool adopt_next (SharedTable *t, Slot *value) {
  SharedKey k;
  SharedEntry *e;
  Slot key; /* an integer: nothing to free */
  if (t->live == 0) return false;
  shared_key_integer(&k, (lua_Integer)t->length + 1);
  e = find(t, &k);
  if (e == NULL) return false;
  take_out(t, e, value, &key);
  return true;
}

/* Stores *value at length + 1, and brings along what follows in the hash part. */
static bool append_item (SharedTable *t, Slot *value) {
  Slot old = {.tag = SLOT_NIL}, next;
  if (!reserve_item(t)) return false;
  adopt_next(t, &old); /* there only if memory was short when it should have moved */
  push_item(t, value);
  *value = old;
  while (t->live > 0 && reserve_item(t) && adopt_next(t, &next)) push_item(t, &next);
  return true;
}

/* Exchanges the item at position i (from 0); trailing nils leave the array. */
static void swap_item (SharedTable *t, size_t i, Slot *value) {
  Slot old = t->items[i];
  t->filled += (value->tag != SLOT_NIL) - (old.tag != SLOT_NIL);
  t->items[i] = *value;
  *value = old;
  if (t->items[t->length - 1].tag != SLOT_NIL) return;
  while (t->length > 0 && t->items[t->length - 1].tag == SLOT_NIL) t->length--;
  if (t->length < t->items_size / 4 && t->items_size > 4 * FIRST_ITEMS)
    resize_items(t, t->items_size / 2);
}

/*
** The whole.
*/

const Slot *shared_table_get (const SharedTable *t, const SharedKey *k) {
  SharedEntry *e;
  if (k->tag == SLOT_INTEGER) {
    lua_Unsigned i = (lua_Unsigned)k->u.integer - 1;
    if (i < t->length) return &t->items[i];
  }
  e = find(t, k);
  return e != NULL ? &e->value : NULL;
}

bool shared_table_swap (SharedTable *t, const SharedKey *k, Slot *value, Slot *key_out) {
  SharedEntry *e;
  Slot old;
  key_out->tag = SLOT_NIL;
  t->changes++;
  if (k->tag == SLOT_INTEGER) {
    lua_Unsigned i = (lua_Unsigned)k->u.integer - 1;
    if (i < t->length) {
      swap_item(t, i, value);
      return true;
    }
    if (i == t->length && value->tag != SLOT_NIL) return append_item(t, value);
  }
  e = find(t, k);
  if (e == NULL) return value->tag == SLOT_NIL || add(t, k, value);
  if (value->tag == SLOT_NIL) take_out(t, e, value, key_out);
  else {
    old = e->value;
    e->value = *value;
    *value = old;
  }
  return true;
}

#define AT_ONCE 250

size_t shared_table_visit (const SharedTable *t, size_t i, CycleSearch *search) {
  for (size_t n = 0; n < AT_ONCE; n++, i++) {
    if (i >= t->length + t->used) return 0;
    if (i < t->length) slot_visit(&t->items[i], search);
    else {
      const SharedEntry *e = &t->entries[i - t->length];
      slot_visit(&e->key, search);
      slot_visit(&e->value, search);
    }
  }
  return i;
}

void shared_table_tidy (SharedTable *t) {
  if (t->items_size + t->used > TIDY_MOST) return;
  for (size_t i = 0; i < t->length; i++) slot_tidy(&t->items[i]);
  if (t->items != NULL)
    memset(t->items + t->length, 0, (t->items_size - t->length) * sizeof *t->items);
  for (size_t i = 0; i < t->used; i++) {
    slot_tidy(&t->entries[i].key);
    slot_tidy(&t->entries[i].value);
  }
}

void shared_table_free (SharedTable *t) {
  for (size_t i = 0; i < t->length; i++) shared_cell_free(&t->items[i]);
  for (size_t i = 0; i < t->used; i++) {
    shared_cell_free(&t->entries[i].key);
    shared_cell_free(&t->entries[i].value);
  }
  world_free(t->world, t->items);
  world_free(t->world, t->entries);
  world_free(t->world, t->index);
  *t = (SharedTable){.world = t->world};
}

/*
** Copies.
*/

static bool copy_items (SharedTableCopy *c, const SharedTable *t) {
  c->items = world_alloc(c->world, (t->length + 1) * sizeof *c->items);
  if (c->items == NULL) return false;
  for (size_t i = 0; i < t->length; i++) {
    c->items[i] = t->items[i];
    shared_cell_keep(&c->items[i]);
  }
  return true;
}

static void copy_entry (SharedEntry *to, const SharedEntry *from, bool values) {
  *to = *from;
  shared_cell_keep(&to->key);
  if (values) shared_cell_keep(&to->value);
  else to->value.tag = SLOT_NIL;
}

SharedTableCopy *shared_table_copy (const SharedTable *t, bool values) {
  SharedTableCopy *c = world_alloc(t->world, sizeof *c + t->live * sizeof *c->entries);
  if (c == NULL) return NULL;
  c->world = t->world;
  c->items = NULL;
  c->length = t->length;
  c->count = 0;
  if (values && !copy_items(c, t)) {
    world_free(t->world, c);
    return NULL;
  }
  for (size_t i = 0; i < t->used; i++)
    if (t->entries[i].key.tag != SLOT_NIL)
      copy_entry(&c->entries[c->count++], &t->entries[i], values);
  return c;
}

void shared_table_copy_free (SharedTableCopy *c) {
  if (c == NULL) return;
  for (size_t i = 0; c->items != NULL && i < c->length; i++) shared_cell_free(&c->items[i]);
  for (size_t i = 0; i < c->count; i++) {
    shared_cell_free(&c->entries[i].key);
    shared_cell_free(&c->entries[i].value);
  }
  world_free(c->world, c->items);
  world_free(c->world, c);
}

void shared_table_copy_key (const SharedTableCopy *c, size_t i, SharedKey *k) {
  const Slot *cell = &c->entries[i].key;
  k->tag = cell->tag;
  k->hash = c->entries[i].hash;
  switch (cell->tag) {
    case SLOT_INTEGER: k->u.integer = cell->u.integer; break;
    case SLOT_FLOAT: k->u.number = cell->u.number; break;
    case SLOT_LIGHT: k->u.light = cell->u.light; break;
    case SLOT_OBJECT: k->u.object = cell->u.object; break;
    case SLOT_TEXT_IN:
      k->u.text = cell->u.text;
      k->length = cell->length;
      break;
    case SLOT_LONG:
      k->u.text = shared_cell_text(cell)->text;
      k->length = shared_cell_text(cell)->length;
      break;
    default: break;
  }
}
