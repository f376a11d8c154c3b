/*
** touched.c - see touched.h.
*/
#include "explore/touched.h"

static void touch (Touched *t, Object *o) {
  if (o == NULL || o->kind->tidy == NULL || t->count == ACCESSES_MOST + 2) return;
  object_keep(o);
  t->list[t->count++] = o;
}

void touched_tidy (Touched *t) {
  for (int i = 0; i < t->count; i++) {
    t->list[i]->kind->tidy(t->list[i]);
    object_unkeep(t->list[i]);
  }
}

void touched_find (Touched *t, const Op *op) {
  t->count = 0;
  if (op == NULL) return;
  touch(t, op->object);
  touch(t, op->second);
  for (int i = 0; op->among != NULL && i < op->among_count; i++) touch(t, op->among[i]->object);
}
