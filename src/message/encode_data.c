/*
** encode_data.c - tables of plain data, read as they lie in memory.
**
** What is written is what encode.c would write, in lua_next's order. Where there is
** anything else than data the attempt ends, and encode.c begins anew.
*/
#include "message/insides.h"
#include "message/private.h"

static bool put_table (Encoder *e, const void *table, int depth);

/* What is no table. */
static bool put_scalar (Encoder *e, const Inside *value, uint8_t type) {
  size_t length;
  const char *text;
  switch (type) {
    case INSIDE_SHORT:
    case INSIDE_LONG:
      text = inside_text(value->object, type, &length);
      put_string(e, text, length);
      return true;
    case INSIDE_INTEGER: put_tag64(e, TAG_INTEGER, value); return true;
    case INSIDE_FLOAT: put_tag64(e, TAG_FLOAT, value); return true;
    case INSIDE_FALSE: put_tag(e, TAG_FALSE); return true;
    case INSIDE_TRUE: put_tag(e, TAG_TRUE); return true;
    default: return false;
  }
}

static inline bool put_value (Encoder *e, const Inside *value, uint8_t type, int depth) {
  return type == INSIDE_TABLE ? put_table(e, value->object, depth + 1) : put_scalar(e, value, type);
}

/* A key that may make its table a class is not for us. */
static inline bool put_key (Encoder *e, const InsideNode *n) {
  size_t length;
  const char *text;
  if (n->key_type != INSIDE_SHORT) return put_scalar(e, &n->key, n->key_type);
  text = inside_text(n->key.object, INSIDE_SHORT, &length);
  if (text[0] == '_' && text[1] == '_') return false;
  put_string(e, text, length);
  return true;
}

/* The list that the array begins with, then what comes behind a hole in it, as pairs. */
static bool put_array (Encoder *e, const InsideTable *t, uint32_t *listed, uint32_t *pairs,
                       int depth) {
  size_t size = inside_array_size(t);
  for (size_t i = 0; i < size; i++) {
    const InsideValue *v = &t->array[i];
    if (inside_is_empty(v->type)) continue;
    if (*listed == i && *pairs == 0) ++*listed;
    else {
      lua_Integer key = (lua_Integer)i + 1;
      ++*pairs;
      put_tag64(e, TAG_INTEGER, &key);
    }
    if (!put_value(e, &v->value, v->type, depth)) return false;
  }
  return true;
}

/* The list may go on here. */
static bool put_nodes (Encoder *e, const InsideTable *t, uint32_t *listed, uint32_t *pairs,
                       int depth) {
  size_t count = inside_node_count(t);
  for (size_t i = 0; i < count; i++) {
    const InsideNode *n = &t->nodes[i];
    if (inside_is_empty(n->type)) continue;
    if (*pairs == 0 && n->key_type == INSIDE_INTEGER && n->key.integer == (lua_Integer)*listed + 1)
      ++*listed;
    else {
      ++*pairs;
      if (!put_key(e, n)) return false;
    }
    if (!put_value(e, &n->value, n->type, depth)) return false;
  }
  return true;
}

static bool put_table (Encoder *e, const void *table, int depth) {
  const InsideTable *t = table;
  size_t record = e->length, seen = encode_map_find(e, table);
  uint32_t listed = 0, pairs = 0;
  bool meta = t->metatable != NULL;
  if (seen != 0) {
    uint64_t offset = seen;
    encoder_share(e, seen);
    put_tag64(e, TAG_REF, &offset);
    return true;
  }
  if (depth > PLAIN_DEPTH || (meta && depth > 1) || !names_surely_none(e->names, table))
    return false;
  encoder_room(e, TABLE_HEAD)[0] = (unsigned char)(TAG_TABLE | (meta ? TAG_META : 0));
  encoder_remember(e, table, record);
  if (depth > e->deepest) e->deepest = depth;
  if (!put_array(e, t, &listed, &pairs, depth) || !put_nodes(e, t, &listed, &pairs, depth))
    return false;
  set32(e->data + record + TABLE_NARR, listed);
  set32(e->data + record + TABLE_NREC, pairs);
  return true;
}

bool encode_data (Encoder *e, int index) {
  lua_State *L = e->L;
  if (e->names == NULL || e->here != e->to || !lua_istable(L, index)) return false;
  insides_prepare();
  if (!insides_known()) return false;
  e->watched |= WATCH_TABLES;
  if (put_table(e, lua_topointer(L, index), 1)
      && (!lua_getmetatable(L, index) || encode_plain_metatable(e))) {
    e->plain = e->shared == 0;
    return true;
  }
  encoder_release(e);
  return false;
}
