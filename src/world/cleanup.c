/*
** holding.c - see holding.h.
*/
#include "world/cleanup.h"
#include "world/thread_record.h"

static _Thread_local Holding *late;

bool holdings_are_late (void) {
  return thread_self != NULL && thread_self->running == NULL && !thread_self->object.world->owns;
}

Holding **holdings_here (void) {
  if (thread_self != NULL && thread_self->object.world->owns) return &thread_self->object.world->holdings;
  return holdings_are_late() ? &late : NULL;
}

void holdings_release_late (void) { holding_release_all(&late); }

void holding_note (Holding **list, Holding *h, void (*release)(Holding *h)) {
  h->list = list;
  if (list == NULL) return;
  h->release = release;
  h->previous = NULL;
  h->next = *list;
  if (h->next != NULL) h->next->previous = h;
  *list = h;
}

void holding_forget (Holding *h) {
  if (h->list == NULL) return;
  if (h->previous != NULL) h->previous->next = h->next;
  else *h->list = h->next;
  if (h->next != NULL) h->next->previous = h->previous;
  h->list = NULL;
}

void holding_release_all (Holding **list) {
  while (*list != NULL) {
    Holding *h = *list;
    holding_forget(h);
    h->release(h);
  }
}
