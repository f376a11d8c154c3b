/*
** insides.h - what a table of Lua 5.4 looks like in memory, to be read only.
**
** lua_next looks each key up again before it finds the next one, and each value goes over
** the stack. Where a message of plain data is made nothing of Lua runs in between: no
** allocation, no collector. So the table can be read as it lies there.
**
** Whether this Lua's tables are such is tried once in the process, by what lua_next says of
** tables of all kinds.
*/
#ifndef MESSAGE_INSIDES_H
#define MESSAGE_INSIDES_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Types as they stand beside a value; those of what the collector frees have COLLECTED. */
enum {
  INSIDE_EMPTY = 0x0f, /* these bits are 0: no value */
  INSIDE_FALSE = 0x01,
  INSIDE_TRUE = 0x11,
  INSIDE_INTEGER = 0x03,
  INSIDE_FLOAT = 0x13,
  INSIDE_COLLECTED = 0x40,
  INSIDE_SHORT = INSIDE_COLLECTED | 0x04,
  INSIDE_LONG = INSIDE_COLLECTED | 0x14,
  INSIDE_TABLE = INSIDE_COLLECTED | 0x05
};

typedef union Inside {
  const void *object;
  lua_Integer integer;
  lua_Number number;
} Inside;

typedef struct InsideValue {
  Inside value;
  uint8_t type;
} InsideValue;

typedef struct InsideNode {
  Inside value;
  uint8_t type, key_type;
  int next;
  Inside key;
} InsideNode;

typedef struct InsideTable {
  void *next;
  uint8_t type, marked, flags, node_bits; /* there are 1 << node_bits nodes */
  unsigned limit;                         /* of the array, if it is a power of two or so flagged */
  const InsideValue *array;
  const InsideNode *nodes;
  const InsideNode *last_free;
  const void *metatable;
} InsideTable;

typedef struct InsideString {
  void *next;
  uint8_t type, marked, extra, short_length;
  unsigned hash;
  size_t length; /* of a long one */
  char text[];
} InsideString;

/* Finds out whether all this is so. [0, 0, -] */
void insides_prepare (void);
bool insides_known (void);

/* So many values lie in the array, some of them empty. */
static inline size_t inside_array_size (const InsideTable *t) {
  unsigned n = t->limit;
  if (!(t->flags & 0x80) || (n & (n - 1)) == 0) return n;
  return (size_t)2 << (31 - __builtin_clz(n));
}

static inline size_t inside_node_count (const InsideTable *t) { return (size_t)1 << t->node_bits; }

static inline bool inside_is_empty (uint8_t type) { return (type & INSIDE_EMPTY) == 0; }

/* The field under that short string, as an object; NULL: there is none. */
static inline const InsideNode *inside_field (const InsideTable *t, const void *string) {
  const InsideString *s = string;
  const InsideNode *n = &t->nodes[s->hash & (inside_node_count(t) - 1)];
  while (n->key_type != INSIDE_SHORT || n->key.object != string) {
    if (n->next == 0) return NULL;
    n += n->next;
  }
  return inside_is_empty(n->type) ? NULL : n;
}

/* Of a short or long string. */
static inline const char *inside_text (const void *string, uint8_t type, size_t *length) {
  const InsideString *s = string;
  *length = type == INSIDE_SHORT ? s->short_length : s->length;
  return s->text;
}

#endif
