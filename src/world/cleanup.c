/*
** cleanup.c - see cleanup.h.
*/
#include "world/cleanup.h"
#include "world/thread_record.h"

static _Thread_local Cleanup *late;

bool cleanup_is_late (void) {
  return thread_self != NULL && thread_self->running == NULL && !thread_self->object.world->owns;
}

Cleanup **cleanup_list (void) {
  if (thread_self != NULL && thread_self->object.world->owns)
    return &thread_self->object.world->cleanups;
  return cleanup_is_late() ? &late : NULL;
}

void cleanup_release_late (void) { cleanup_release_all(&late); }

void cleanup_note (Cleanup **list, Cleanup *h, void (*release)(Cleanup *h)) {
  h->list = list;
  if (list == NULL) return;
  h->release = release;
  h->previous = NULL;
  h->next = *list;
  if (h->next != NULL) h->next->previous = h;
  *list = h;
}

void cleanup_forget (Cleanup *h) {
  if (h->list == NULL) return;
  if (h->previous != NULL) h->previous->next = h->next;
  else *h->list = h->next;
  if (h->next != NULL) h->next->previous = h->previous;
  h->list = NULL;
}

void cleanup_release_all (Cleanup **list) {
  while (*list != NULL) {
    Cleanup *h = *list;
    cleanup_forget(h);
    h->release(h);
  }
}
