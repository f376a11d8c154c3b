/*
** deeds.c - see deeds.h.
*/
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "explore/deeds.h"
#include "explore/names.h"

#define WORDS 12
#define AMONG_MOST 64

struct Deeds {
  NameTable *names;
  Deed *list;
  uint32_t count, capacity;
};

Deeds *deeds_new (void) {
  Deeds *d = calloc(1, sizeof *d);
  if (d == NULL) return NULL;
  d->names = name_table();
  if (d->names != NULL) return d;
  deeds_free(d);
  return NULL;
}

void deeds_free (Deeds *d) {
  if (d == NULL) return;
  for (uint32_t i = 0; i < d->count; i++) free(d->list[i].op.among);
  name_table_free(d->names);
  free(d->list);
  free(d);
}

uint32_t deeds_count (const Deeds *d) { return d->count; }
const Deed *deeds_at (const Deeds *d, uint32_t number) { return &d->list[number]; }

static bool add (Deeds *d, const WatchedStep *op, uint64_t woken) {
  Deed *deed;
  size_t size = (size_t)op->among_count * sizeof *op->among;
  if (!grow_list32(&d->list, &d->capacity, d->count + 1, sizeof *d->list)) return false;
  deed = &d->list[d->count];
  *deed = (Deed){*op, woken};
  deed->op.among = NULL;
  if (size > 0) {
    deed->op.among = malloc(size);
    if (deed->op.among == NULL) return false;
    memcpy(deed->op.among, op->among, size);
  }
  d->count++;
  return true;
}

uint32_t deeds_number (Deeds *d, const WatchedStep *op, uint64_t woken) {
  uint32_t words[WORDS + AMONG_MOST] = {(uint32_t)op->thread,
                                        op->self,
                                        op->kind,
                                        op->object,
                                        op->second,
                                        op->part,
                                        op->removes | op->keys << 1 | op->empty << 2
                                            | op->patient << 3 | op->tries << 4,
                                        (uint32_t)woken,
                                        (uint32_t)(woken >> 32)};
  uint32_t n = (uint32_t)op->among_count, number;
  if (n > AMONG_MOST) return DEED_NONE;
  for (uint32_t i = 0; i < n; i++) words[WORDS + i] = op->among[i];
  number = name_number(d->names, words, (WORDS + n) * sizeof *words);
  if (number != d->count) return number;
  return add(d, op, woken) ? number : DEED_NONE;
}
