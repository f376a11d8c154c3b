/*
** message.c - the life of a message.
*/
#include "message/block.h"
#include "message/private.h"
#include "world/args.h"

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
  if (m != NULL) counted_keep(&m->counted);
}

void message_keep_many (Message *m, unsigned n) { counted_add(&m->counted, n); }

void message_unkeep_many (Message *m, unsigned n) { counted_remove(&m->counted, n); }

void message_free (Message *m) {
  if (m == NULL || !counted_drop(&m->counted)) return;
  message_drop_counted((unsigned char *)m, m->last_counted);
  block_free(m->owner, m, m->length);
}

/*
** Cycles.
*/

bool message_leads (const Message *m) { return m != NULL && m->leads; }

/* CyclesPart.visit */
static void visit_counted (Counted *part, CycleSearch *search) {
  const Message *m = (Message *)part;
  const unsigned char *data = (unsigned char *)part;
  for (size_t at = m->last_counted; at != 0; at = (size_t)get64(data + at + COUNTED_PREVIOUS)) {
    void *counted;
    memcpy(&counted, data + at + COUNTED_POINTER, sizeof counted);
    if ((data[at] & TAG_KIND) == TAG_OBJECT) cycles_object(search, counted);
    else message_visit(counted, search);
  }
}

static void drop_counted (Counted *part) { message_free((Message *)part); }

void message_visit (Message *m, CycleSearch *search) {
  static const CyclesPart kind = {visit_counted, drop_counted};
  if (search != NULL && message_leads(m)) cycles_part(search, &m->counted, &kind);
}

void message_init (Message *m, World *owner, int count, size_t length) {
  memset(m, 0, sizeof *m);
  m->owner = owner;
  counted_init(&m->counted);
  m->count = count;
  m->length = length;
}

Message *message_of_string (lua_State *L, const char *text, size_t length, World *to) {
  Message *m = length < SIZE_MAX / 4 ? block_alloc(to, sizeof *m + 9 + length) : NULL;
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
  Message *copy = m->last_counted == 0 ? block_alloc(owner, m->length) : NULL;
  if (copy == NULL) return NULL;
  memcpy(copy, m, m->length);
  counted_init(&copy->counted);
  copy->owner = owner;
  return copy;
}
