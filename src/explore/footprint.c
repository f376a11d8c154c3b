/*
** footprint.c - see footprint.h.
*/
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "explore/footprint.h"

#define IDS_MOST (1u << 24)
#define NONE UINT32_MAX

Footprints *footprint_table (void) {
  Footprints *f = calloc(1, sizeof *f);
  if (f == NULL) return NULL;
  footprint_intern(f, NULL, 0, GRIPS_ALL);
  if (!f->is_short) return f;
  footprint_table_free(f);
  return NULL;
}

void footprint_table_free (Footprints *f) {
  if (f == NULL) return;
  free(f->list);
  free(f->accesses);
  free(f->places);
  free(f->index);
  free(f->place_list);
  free(f);
}

/*
** Interning.
*/

static uint32_t hash_of (const Access *a, int count, unsigned grips) {
  uint64_t h = 0x9e3779b97f4a7c15u * (grips + 1u);
  for (int i = 0; i < count; i++) {
    h = (h ^ a[i].object) * 0xff51afd7ed558ccdu;
    h = (h ^ (h >> 32) ^ a[i].part) * 0xc4ceb9fe1a85ec53u;
    h ^= (h >> 29) ^ (uint64_t)(a[i].write * 8 + a[i].needs);
  }
  return (uint32_t)(h ^ (h >> 32));
}

static bool same (const Footprints *f, uint32_t id, const Access *a, int count, unsigned grips) {
  const Footprint *p = &f->list[id];
  const Access *b = f->accesses + p->first;
  if (p->count != count || p->grips != grips) return false;
  for (int i = 0; i < count; i++)
    if (a[i].object != b[i].object || a[i].part != b[i].part || a[i].write != b[i].write
        || a[i].needs != b[i].needs)
      return false;
  return true;
}

static void put_index (Footprints *f, uint32_t id) {
  const Footprint *p = &f->list[id];
  uint32_t i = hash_of(f->accesses + p->first, p->count, p->grips) & (f->index_size - 1);
  while (f->index[i] != 0) i = (i + 1) & (f->index_size - 1);
  f->index[i] = id + 1;
}

static bool grow_index (Footprints *f) {
  uint32_t size = f->index_size > 0 ? 2 * f->index_size : 64;
  uint32_t *index;
  if (2 * (f->count + 1) <= f->index_size) return true;
  index = calloc(size, sizeof *index);
  if (index == NULL) return false;
  free(f->index);
  f->index = index;
  f->index_size = size;
  for (uint32_t i = 0; i < f->count; i++) put_index(f, i);
  return true;
}

static uint32_t find_first (const Footprints *f, uint32_t object) {
  for (uint32_t i = 0; i < f->place_count; i++)
    if (f->place_list[i].object == object) return i;
  return NONE;
}

/* The place of an object's part, made where it is new; NONE: no memory. */
static uint32_t place_of (Footprints *f, uint32_t object, uint32_t part) {
  uint32_t first = find_first(f, object), last = NONE;
  for (uint32_t i = first; i != NONE; i = f->place_list[i].next) {
    if (f->place_list[i].part == part) return i;
    last = i;
  }
  if (!grow_list32(&f->place_list, &f->place_capacity, f->place_count + 1, sizeof *f->place_list))
    return NONE;
  f->place_list[f->place_count] =
      (Place){object, part, first != NONE ? first : f->place_count, NONE};
  if (last != NONE) f->place_list[last].next = f->place_count;
  return f->place_count++;
}

static bool reserve_pool (Footprints *f, uint32_t wanted) {
  uint32_t capacity = f->pool;
  if (!grow_list32(&f->accesses, &capacity, wanted, sizeof *f->accesses)) return false;
  capacity = f->pool;
  if (!grow_list32(&f->places, &capacity, wanted, sizeof *f->places)) return false;
  f->pool = capacity;
  return true;
}

bool footprint_meet (const Footprints *f, uint32_t a, uint32_t b) {
  const Footprint *p = &f->list[a], *q = &f->list[b];
  const Access *x = f->accesses + p->first, *y = f->accesses + q->first;
  for (int i = 0; i < p->count; i++)
    for (int j = 0; j < q->count; j++)
      if (x[i].object == y[j].object && (x[i].write || y[j].write)
          && (x[i].part == y[j].part || x[i].part == PART_ALL || y[j].part == PART_ALL))
        return true;
  return false;
}

static uint32_t add (Footprints *f, const Access *a, int count, unsigned grips) {
  if (f->count == IDS_MOST || !grow_index(f) || !reserve_pool(f, f->used + (uint32_t)count)
      || !grow_list32(&f->list, &f->capacity, f->count + 1, sizeof *f->list))
    return NONE;
  for (int i = 0; i < count; i++) {
    uint32_t place = place_of(f, a[i].object, a[i].part);
    if (place == NONE) return NONE;
    f->accesses[f->used + (uint32_t)i] = a[i];
    f->places[f->used + (uint32_t)i] = place;
  }
  f->list[f->count] = (Footprint){(uint16_t)count, (uint16_t)grips, f->used};
  f->used += (uint32_t)count;
  put_index(f, f->count);
  for (uint32_t i = 0; i <= f->count && f->count < FOOTPRINTS_FIRST; i++)
    f->meet[i][f->count] = f->meet[f->count][i] = footprint_meet(f, i, f->count);
  return f->count++;
}

uint32_t footprint_intern (Footprints *f, const Access *a, int count, unsigned grips) {
  uint32_t id;
  if (f->index_size > 0) {
    uint32_t i = hash_of(a, count, grips) & (f->index_size - 1);
    for (; f->index[i] != 0; i = (i + 1) & (f->index_size - 1))
      if (same(f, f->index[i] - 1, a, count, grips)) return f->index[i] - 1;
  }
  id = add(f, a, count, grips);
  if (id != NONE) return id;
  f->is_short = true;
  return 0;
}
