/*
** message.c - the life of a message.
*/
#include "message/private.h"
#include "world/args.h"
#include "world/memory.h"

void message_drop_counted (unsigned char *data, size_t last) {
  while (last != 0) {
    const unsigned char *record = data + last;
    void *counted;
    memcpy(&counted, record + COUNTED_POINTER, sizeof counted);
    if ((*record & TAG_KIND) == TAG_OBJECT) object_drop(counted);
    else message_free(counted);
    last = (size_t)get64(record + COUNTED_PREVIOUS);
  }
}

void message_keep (Message *m) {
  if (m != NULL) atomic_fetch_add_explicit(&m->refs, 1, memory_order_relaxed);
}

void message_free (Message *m) {
  if (m == NULL || atomic_fetch_sub_explicit(&m->refs, 1, memory_order_acq_rel) != 1) return;
  message_drop_counted((unsigned char *)m, m->last_counted);
  world_free(m->owner, m);
}

void message_init (Message *m, World *owner, int count, size_t length) {
  memset(m, 0, sizeof *m);
  m->owner = owner;
  atomic_init(&m->refs, 1);
  m->count = count;
  m->length = length;
}

Message *message_of_string (lua_State *L, const char *text, size_t length, World *to) {
  Message *m = length < SIZE_MAX / 4 ? world_alloc(to, sizeof *m + 9 + length) : NULL;
  unsigned char *p;
  if (m == NULL) args_no_memory(L);
  message_init(m, to, 1, sizeof *m + 9 + length);
  p = (unsigned char *)(m + 1);
  p[0] = TAG_STRING;
  set64(p + 1, length);
  memcpy(p + 9, text, length);
  return m;
}

Message *message_copy (const Message *m, World *owner) {
  Message *copy = m->last_counted == 0 ? world_alloc(owner, m->length) : NULL;
  if (copy == NULL) return NULL;
  memcpy(copy, m, m->length);
  atomic_init(&copy->refs, 1);
  copy->owner = owner;
  return copy;
}
