/*
** seen.c - see seen.h.
*/
#include <stdlib.h>

#include "explore/seen.h"

void seen_free (Seen *s) {
  free(s->slots);
  *s = (Seen){0};
}

static uint64_t *find (const Seen *s, uint64_t hash) {
  size_t i = hash & (s->size - 1);
  while (s->slots[i] != 0 && s->slots[i] != hash) i = (i + 1) & (s->size - 1);
  return &s->slots[i];
}

static bool grow (Seen *s) {
  Seen old = *s;
  if (2 * (s->count + 1) <= s->size) return true;
  s->size = old.size > 0 ? 2 * old.size : 1024;
  s->slots = calloc(s->size, sizeof *s->slots);
  if (s->slots == NULL) {
    *s = old;
    return false;
  }
  for (size_t i = 0; i < old.size; i++)
    if (old.slots[i] != 0) *find(s, old.slots[i]) = old.slots[i];
  free(old.slots);
  return true;
}

bool seen_note (Seen *s, uint64_t hash) {
  bool is_new = true;
  if (hash == 0) hash = 1;
  if (grow(s)) {
    uint64_t *slot = find(s, hash);
    is_new = *slot == 0;
    *slot = hash;
    s->count += is_new;
  }
  s->fresh[s->noted++ % SEEN_LAST] = is_new;
  return is_new;
}

double seen_fresh (const Seen *s) {
  size_t count = s->noted < SEEN_LAST ? s->noted : SEEN_LAST, fresh = 0;
  for (size_t i = 0; i < count; i++) fresh += s->fresh[i];
  return count > 0 ? (double)fresh / (double)count : -1;
}
