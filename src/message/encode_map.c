/*
** encode_map.c - which values a message holds already.
**
** Most messages hold one or two tables: a short list, searched from its end,
** beats any hashing. With more it becomes a table of open addressing, at most
** half full. Entries are never removed.
*/
#include "message/private.h"

static uint32_t place (const void *key, uint32_t mask) {
  uint64_t x = (uint64_t)(uintptr_t)key * UINT64_C(0x9E3779B97F4A7C15);
  return (uint32_t)(x >> 32) & mask;
}

/* The entry of the key, or the empty one where it belongs. */
static EncodedEntry *probe (EncodedEntry *entries, uint32_t mask, const void *key) {
  uint32_t i = place(key, mask);
  while (entries[i].key != NULL && entries[i].key != key) i = (i + 1) & mask;
  return &entries[i];
}

size_t encode_map_find (const Encoder *e, const void *key) {
  if (e->entry_mask != 0) return probe(e->entries, e->entry_mask, key)->value;
  for (uint32_t i = e->entry_count; i-- > 0;)
    if (e->entries[i].key == key) return e->entries[i].value;
  return 0;
}

/* Moves all into a hash table of `size` places, a power of two; false: no memory. */
static bool rehash (Encoder *e, uint32_t size) {
  EncodedEntry *entries = world_alloc_zeroed(e->here, size * sizeof *entries);
  uint32_t old = e->entry_mask != 0 ? e->entry_mask + 1 : e->entry_count;
  if (entries == NULL) return false;
  for (uint32_t i = 0; i < old; i++)
    if (e->entries[i].key != NULL) *probe(entries, size - 1, e->entries[i].key) = e->entries[i];
  if (e->entries != e->few_entries) world_free(e->here, e->entries);
  e->entries = entries;
  e->entry_mask = size - 1;
  return true;
}

/* Makes room for one more; false: no memory. */
static bool make_room (Encoder *e) {
  if (e->entry_mask == 0) return e->entry_count < FEW_ENTRIES || rehash(e, 4 * FEW_ENTRIES);
  if (e->entry_count <= e->entry_mask / 2) return true;
  return e->entry_mask < UINT32_MAX / 2 && rehash(e, (e->entry_mask + 1) * 2);
}

bool encode_map_add (Encoder *e, const void *key, size_t value) {
  if (!make_room(e)) return false;
  if (e->entry_mask == 0) e->entries[e->entry_count] = (EncodedEntry){key, value};
  else *probe(e->entries, e->entry_mask, key) = (EncodedEntry){key, value};
  e->entry_count++;
  return true;
}
