/*
** message.c - the life of a message.
*/
#include "message/private.h"
#include "world/args.h"
#include "world/thread_record.h"

void message_drop_objects (unsigned char *data, size_t last) {
  while (last != 0) {
    Object *o;
    memcpy(&o, data + last + 1, sizeof o);
    memcpy(&last, data + last + 1 + sizeof o, sizeof last);
    object_drop(o);
  }
}

void message_keep (Message *m) {
  if (m != NULL) atomic_fetch_add_explicit(&m->refs, 1, memory_order_relaxed);
}

/* Puts a new message in the care of the world it is for, where that owns its messages: a simulated one. */
Message *message_give_to (Message *m, World *world) {
  if (world == NULL || !world->owns) return m;
  m->owner = world;
  m->next = world->messages;
  if (m->next != NULL) m->next->previous = m;
  world->messages = m;
  return m;
}

static void take_from_owner (Message *m) {
  if (m->owner == NULL) return;
  if (m->previous != NULL) m->previous->next = m->next;
  else m->owner->messages = m->next;
  if (m->next != NULL) m->next->previous = m->previous;
}

void message_free_all (World *world) {
  while (world->messages != NULL) {
    Message *m = world->messages;
    world->messages = m->next;
    free(m);
  }
}

void message_free (Message *m) {
  if (m == NULL || atomic_fetch_sub_explicit(&m->refs, 1, memory_order_acq_rel) != 1) return;
  take_from_owner(m);
  message_drop_objects((unsigned char *)m, m->last_object);
  free(m);
}

void message_init (Message *m, int count, size_t length) {
  memset(m, 0, sizeof *m);
  atomic_init(&m->refs, 1);
  m->count = count;
  m->length = length;
}

Message *message_of_string (lua_State *L, const char *text, size_t length) {
  Message *m = length < SIZE_MAX / 4 ? malloc(sizeof *m + 9 + length) : NULL;
  unsigned char *p;
  if (m == NULL) { args_no_memory(L); }
  message_init(m, 1, sizeof *m + 9 + length);
  p = (unsigned char *)(m + 1);
  p[0] = TAG_STRING;
  set64(p + 1, length);
  memcpy(p + 9, text, length);
  return m;
}
