/*
** names.c - see names.h: strings of bytes, numbered as they come.
*/
#include <stdlib.h>
#include <string.h>

#include "explore/names.h"

typedef struct Name {
  size_t at, length;
} Name;

struct NameTable {
  Name *list;
  uint32_t count, capacity;
  unsigned char *bytes;
  size_t used, size;
  uint32_t *index; /* number + 1, or 0 */
  uint32_t index_size;
  bool is_short; /* a name has got no number */
};

NameTable *name_table (void) { return calloc(1, sizeof(NameTable)); }

void name_table_free (NameTable *t) {
  if (t == NULL) return;
  free(t->list);
  free(t->bytes);
  free(t->index);
  free(t);
}

static uint64_t hash_of (const unsigned char *p, size_t n) {
  uint64_t h = 14695981039346656037u;
  while (n-- > 0) h = (h ^ *p++) * 1099511628211u;
  return h ^ (h >> 29);
}

static uint32_t *find (NameTable *t, const void *bytes, size_t length) {
  uint32_t i = (uint32_t)hash_of(bytes, length) & (t->index_size - 1);
  for (; t->index[i] != 0; i = (i + 1) & (t->index_size - 1)) {
    const Name *n = &t->list[t->index[i] - 1];
    if (n->length == length && memcmp(t->bytes + n->at, bytes, length) == 0) break;
  }
  return &t->index[i];
}

static bool reserve (NameTable *t, size_t length) {
  if (2 * (t->count + 1) > t->index_size) {
    uint32_t size = t->index_size > 0 ? 2 * t->index_size : 64;
    uint32_t *index = calloc(size, sizeof *index);
    if (index == NULL) return false;
    free(t->index);
    t->index = index;
    t->index_size = size;
    for (uint32_t i = 0; i < t->count; i++)
      *find(t, t->bytes + t->list[i].at, t->list[i].length) = i + 1;
  }
  if (t->count == t->capacity) {
    uint32_t capacity = t->capacity > 0 ? 2 * t->capacity : 32;
    Name *list = realloc(t->list, capacity * sizeof *list);
    if (list == NULL) return false;
    t->list = list;
    t->capacity = capacity;
  }
  if (t->used + length > t->size) {
    size_t size = 2 * t->size + length + 256;
    unsigned char *grown = realloc(t->bytes, size);
    if (grown == NULL) return false;
    t->bytes = grown;
    t->size = size;
  }
  return true;
}

uint32_t name_number (NameTable *t, const void *bytes, size_t length) {
  uint32_t *slot;
  if (!reserve(t, length)) {
    t->is_short = true;
    return UINT32_MAX;
  }
  slot = find(t, bytes, length);
  if (*slot != 0) return *slot - 1;
  memcpy(t->bytes + t->used, bytes, length);
  t->list[t->count] = (Name){t->used, length};
  t->used += length;
  *slot = ++t->count;
  return t->count - 1;
}

bool name_table_is_short (const NameTable *t) { return t->is_short; }
