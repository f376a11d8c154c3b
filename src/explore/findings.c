/*
** findings.c - see findings.h.
*/
#include <stdlib.h>
#include <string.h>

#include "explore/findings.h"

#define MOST 200 /* a program with more of them is told enough */

struct Findings {
  Finding list[MOST];
  int count;
};

Findings *findings_new (void) { return calloc(1, sizeof(Findings)); }

void findings_free (Findings *f) {
  if (f == NULL) return;
  for (int i = 0; i < f->count; i++) free(f->list[i].path);
  free(f);
}

int findings_count (const Findings *f) { return f->count; }
const Finding *findings_at (const Findings *f, int i) { return &f->list[i]; }

/* The one that says the same, a new one where there is none; NULL: there are enough. */
static Finding *find (Findings *f, const Found *found) {
  for (int i = 0; i < f->count; i++) {
    const Found *g = &f->list[i].found;
    if (g->kind == found->kind && g->object == found->object && g->part == found->part)
      return &f->list[i];
  }
  if (f->count == MOST) return NULL;
  f->list[f->count] = (Finding){.found = *found};
  return &f->list[f->count++];
}

bool findings_have (const Findings *f, FoundKind kind, uint32_t object, uint32_t part) {
  for (int i = 0; i < f->count; i++) {
    const Found *g = &f->list[i].found;
    if (g->kind == kind && g->object == object && g->part == part) return true;
  }
  return false;
}

void findings_add (Findings *f, const Found *found, const char *path, int length) {
  Finding *g = find(f, found);
  if (g == NULL || g->path != NULL) return;
  g->path = malloc((size_t)length + 1);
  if (g->path == NULL) return;
  memcpy(g->path, path, (size_t)length);
  g->length = length;
  g->executions = 1;
}

void findings_note (Findings *f, Watch *w, int length, int (*thread_at)(void *ud, int i), void *ud,
                    long simple, bool whole) {
  int count = watch_end(w, length, whole);
  for (int i = 0; i < count; i++) {
    Finding *g = find(f, watch_found(w, i));
    char *path;
    if (g == NULL || (g->executions++ > 0 && g->simple <= simple)) continue;
    path = malloc((size_t)length + 1);
    if (path == NULL) continue;
    for (int k = 0; k < length; k++) path[k] = (char)thread_at(ud, k);
    free(g->path);
    g->path = path;
    g->length = length;
    g->simple = simple;
    g->found = *watch_found(w, i);
  }
}
