/*
** cleanup.c - see cleanup.h.
*/
#include "world/cleanup.h"
#include "world/memory.h"
#include "world/thread_record.h"

static _Thread_local Cleanup *late;

bool cleanup_is_due (void) {
  return thread_self != NULL && thread_self->running == NULL
         && !world_memory_is_own(thread_self->object.world);
}

void cleanup_note (Cleanup *h, void (*release)(Cleanup *h)) {
  h->list = cleanup_is_due() ? &late : NULL;
  if (h->list == NULL) return;
  h->release = release;
  h->previous = NULL;
  h->next = late;
  if (h->next != NULL) h->next->previous = h;
  late = h;
}

void cleanup_forget (Cleanup *h) {
  if (h->list == NULL) return;
  if (h->previous != NULL) h->previous->next = h->next;
  else *h->list = h->next;
  if (h->next != NULL) h->next->previous = h->previous;
  h->list = NULL;
}

void cleanup_release_all (void) {
  while (late != NULL) {
    Cleanup *h = late;
    cleanup_forget(h);
    h->release(h);
  }
}
