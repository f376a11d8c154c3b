/*
** private.h - what the files behind message.h share.
**
** A message is one block: the header below, then records. A record is a tag
** byte and what the tag says; offsets count from the start of the block, so
** that none is 0. Numbers lie unaligned and are copied in and out.
**
**     TABLE     narr:4 nrec:4, narr values, nrec times key and value, [metatable]
**     CLASS     id:8 skip:8 previous:8 narr:4 nrec:4, the rest as TABLE
**     FUNCTION  nups:1 length:8, bytecode, nups values (or CELL)
**     TRANSFER  n:4, n values: a function and its arguments
**     REF       offset:8 of an earlier record, which carries TAG_SHARED
**     CELL      offset:8 of an earlier function << 8 | number of its upvalue
*/
#ifndef MESSAGE_PRIVATE_H
#define MESSAGE_PRIVATE_H

#include <stdalign.h>
#include <stdbool.h>
#include <stdlib.h>
#include "message/message.h"
#include "world/memory.h"

enum {
  TAG_NIL,
  TAG_FALSE,
  TAG_TRUE,
  TAG_INTEGER,
  TAG_FLOAT,   /* 8 bytes */
  TAG_LIGHT,   /* a pointer */
  TAG_TEXT,    /* length:1, bytes */
  TAG_STRING,  /* length:8, bytes */
  TAG_OBJECT,  /* pointer, previous:8 */
  TAG_STREAM,  /* 0, 1, 2: io.stdin, io.stdout, io.stderr */
  TAG_NAMED,   /* length:4, bytes: see names.c */
  TAG_GLOBALS, /* the globals of whoever decodes */
  TAG_REF,
  TAG_CELL,
  TAG_TABLE,
  TAG_CLASS,
  TAG_FUNCTION,
  TAG_TRANSFER,
  TAG_OPEN,          /* a TRANSFER whose values are being encoded */
  TAG_META = 0x40,   /* a metatable follows */
  TAG_SHARED = 0x80, /* a REF or CELL refers to it */
  TAG_KIND = 0x3f
};

struct Message {
  atomic_int refs;
  int count;          /* values; const after init, like all below */
  uint32_t globals;   /* pairs of name and value behind them */
  uint32_t shared;    /* records with TAG_SHARED */
  uint32_t depth;     /* of open records, at most */
  uint64_t home;      /* the `unique` of the thread it comes from */
  size_t length;      /* of all, with this header */
  size_t last_object; /* the chain of OBJECT records; 0: none */
  World *owner;       /* in whose memory it lies; see memory.h */
};

/* The sizes of records up to their contents. */
#define TABLE_HEAD 9
#define CLASS_HEAD 33
#define OBJECT_RECORD (1 + sizeof(void *) + sizeof(size_t))

/* Beyond this many open records the slots of the outer ones leave the Lua stack. */
#define SPILL_DEPTH 100

static inline void put_bytes (unsigned char *to, const void *from, size_t n) {
  memcpy(to, from, n);
}
static inline uint32_t get32 (const unsigned char *p) {
  uint32_t x;
  memcpy(&x, p, sizeof x);
  return x;
}
static inline uint64_t get64 (const unsigned char *p) {
  uint64_t x;
  memcpy(&x, p, sizeof x);
  return x;
}
static inline void set32 (unsigned char *p, uint32_t x) { memcpy(p, &x, sizeof x); }
static inline void set64 (unsigned char *p, uint64_t x) { memcpy(p, &x, sizeof x); }

/* Drops the objects of a chain that begins at offset `last` of `data`. */
void message_drop_objects (unsigned char *data, size_t last);

void message_init (Message *m, World *owner, int count, size_t length);

/* A message for a thread of `to` that holds one string. [0, 0, memory] */
Message *message_of_string (lua_State *L, const char *text, size_t length, World *to);

/*
** byname.c: what both states have, and how each finds it.
*/
typedef struct Names Names;

Names *names_peek (lua_State *L); /* this state's, or NULL: not made yet [0, 0, -] */
Names *names_get (lua_State *L);  /* this state's; made at first use [0, 0, memory] */
bool names_maybe_module (const Names *names,
                         const void *table); /* false: surely none it has learnt */
bool names_surely_none (const Names *names,
                        const void *table); /* nor one that has been loaded since */
void names_learn_modules (lua_State *L);    /* looks at package.loaded again [0, 0, memory] */
bool names_push (lua_State *L,
                 int index); /* the name of a module or C function [0, +(0|1), memory] */
bool names_standard (
    lua_State *L, const char *name,
    size_t
        length); /* whether the value at the top is what every fresh state calls so [0, 0, memory] */
int names_stream (lua_State *L,
                  int index); /* 0, 1, 2: a standard stream; -1: not one [0, 0, memory] */
void names_push_stream (lua_State *L, int stream); /* [0, +1, raises] */
/* Pushes what has the name here, or false with nothing pushed and the name to report in *shown. [0, +(0|1), raises] */
bool names_resolve (lua_State *L, const char *name, size_t length, char shown[128]);

/* class.c: the process-wide identity of a table that serves as a metatable; given at the first question. [0, 0, memory] */
uint64_t metatable_id (lua_State *L, int index);
bool metatable_id_push (lua_State *L, uint64_t id); /* [0, +(0|1), memory] */
void metatable_id_register (
    lua_State *L, uint64_t id); /* the table at the top is the one of that id here [0, 0, memory] */
bool metatable_id_is_event (const char *key, size_t length); /* a metamethod's name */

/*
** Encoding.
*/
typedef enum FrameKind { IN_TABLE, IN_FUNCTION, IN_TRANSFER } FrameKind;
typedef enum FrameState { AT_ARRAY, AT_PAIRS, AT_KEY, AT_META } FrameState;

/* A record whose contents are being encoded. Its values stand on the Lua stack from `base` on: table, key [, value]. */
typedef struct Frame {
  uint8_t kind, state;
  int base;
  int spilled;           /* slots that lie in the spill table */
  int spill_at;          /* behind this index */
  int first;             /* of the values of a transfer in the table of anchors */
  uint32_t index, count; /* narr, nrec; or done, of so many */
  size_t record;
} Frame;

typedef struct EncodedEntry {
  const void *key;
  size_t value; /* an offset, or the value of a CELL */
} EncodedEntry;

/*
** Plain data is encoded without a call that could raise; what needs more makes
** it start again in protected mode; a __transfer, which may drop what has been
** encoded, once more, cleanup on to everything.
*/
typedef enum Mode { MODE_PLAIN, MODE_FULL, MODE_ANCHORED } Mode;

#define PLAIN_DEPTH 24
#define FEW_ENTRIES 16
#define SCRATCH 1024

typedef struct Encoder {
  lua_State *L;
  World *here;         /* in whose memory all lies until it is a message */
  unsigned char *data; /* the block so far */
  size_t length, capacity;
  Frame *frames;
  int depth, deepest, frame_capacity;
  EncodedEntry *entries; /* a list while few, then a hash table */
  uint32_t entry_count, entry_mask;
  Names *names; /* NULL: not made yet, as in a thread that never sent a table */
  World *to;
  Root root;
  Mode mode;
  int item;                    /* the value being encoded, from 1 */
  int spill, anchors, globals; /* stack indices of helping tables, nil until used */
  int spilled, anchored;       /* how many they hold */
  int global;                  /* the global being encoded, from 1; 0: not yet */
  int global_count;
  int transfers; /* open ones */
  uint32_t shared;
  size_t last_object, last_class;
  bool fault;   /* the error raised is ours and lacks a position */
  bool again;   /* this mode is not enough */
  bool learnt;  /* package.loaded has been looked at for this message */
  bool departs; /* there are handles whose kinds want to know */
  bool part;    /* they are added to a list that somebody else follows */
  Frame few_frames[PLAIN_DEPTH];
  EncodedEntry few_entries[FEW_ENTRIES];
  alignas(16) unsigned char scratch[SCRATCH];
} Encoder;

void encoder_reserve (Encoder *e, size_t n); /* room for n more bytes [0, 0, memory] */
void encoder_release (Encoder *e);           /* all it holds outside of Lua; then it is empty */
bool encode_top (
    Encoder *e); /* the value at the top, or a frame for it; false: another mode [-(1|0), 0] */
bool encode_run (Encoder *e); /* the value at the top with all that is in it [-1, 0] */
bool encoder_reference (Encoder *e,
                        size_t target); /* a REF in place of the value at the top [-1, 0] */
bool encoder_named (Encoder *e); /* the name at the top in place of the value under it [-2, 0] */
void encoder_open (Encoder *e, FrameKind kind, size_t record, uint32_t count);
void encoder_close (Encoder *e);                /* the frame on top and its slots */
bool encoder_share (Encoder *e, size_t record); /* somebody refers to it */
void encoder_remember (Encoder *e, const void *key,
                       size_t value); /* encode_map_add, or an error [0, 0, memory] */
void encoder_note (Encoder *e,
                   size_t record); /* the value at the top has its record there [0, 0, memory] */
void encoder_table_used (Encoder *e,
                         int index); /* makes the helping table at `index` if it is not there */

/* Raises `what (at path)`; `what` is a format of lua_pushfstring. */
_Noreturn void encoder_fault (Encoder *e, const char *format, ...);
_Noreturn void encoder_no_memory (Encoder *e);

/*
** departing.c: for the handles in the block, in protected mode. The value at `along`
** is the list of a part, the proxy of the owner, or nil. [0, 0, raises]
*/
void encoder_depart (Encoder *e, int along);

/* encode_path.c: pushes where the encoder is, `args[1].co`. [0, +1, memory] */
void encode_path_push (Encoder *e);

/* encode_map.c: identities in one message. */
size_t encode_map_find (const Encoder *e, const void *key);      /* 0: not there */
bool encode_map_add (Encoder *e, const void *key, size_t value); /* false: no memory */

/* encode_transfer.c */
bool encode_transfer_wanted (
    lua_State *
        L); /* whether the metatable at the top has __transfer, which then takes its place [-1, +1] */
bool encode_transfer (
    Encoder *e); /* the value at the top but one by its __transfer at the top [-1, 0] in a frame */
bool encode_argument (
    Encoder *e,
    Frame
        *f); /* pushes the next value of a transfer; after the last, closes the frame [0, +(0|1)] */

/* encode_function.c */
bool encode_function (Encoder *e); /* the function at the top */
bool encode_upvalue (
    Encoder *e,
    Frame *
        f); /* pushes the next one of a function, if it is to be encoded; after the last, closes the frame [0, +(0|1)] */

/* bytecode.c: calls found(name) for the names of globals that dumped code uses; bit i of env: upvalue i holds them. */
void bytecode_globals (const unsigned char *dump, size_t length, const uint32_t env[8],
                       void (*found)(void *ud, const char *name, size_t length), void *ud);

static inline unsigned char *encoder_room (Encoder *e, size_t n) {
  unsigned char *p;
  if (__builtin_expect(e->capacity - e->length < n, 0)) encoder_reserve(e, n);
  p = e->data + e->length;
  e->length += n;
  return p;
}

static inline void put_tag (Encoder *e, unsigned tag) { *encoder_room(e, 1) = (unsigned char)tag; }

static inline void put_tag64 (Encoder *e, unsigned tag, const void *bytes) {
  unsigned char *p = encoder_room(e, 9);
  p[0] = (unsigned char)tag;
  memcpy(p + 1, bytes, 8);
}

static inline void put_string (Encoder *e, const char *text, size_t length) {
  unsigned char *p;
  if (length <= 255) {
    p = encoder_room(e, 2 + length);
    p[0] = TAG_TEXT;
    p[1] = (unsigned char)length;
    memcpy(p + 2, text, length);
  }
  else {
    p = encoder_room(e, 9 + length);
    p[0] = TAG_STRING;
    set64(p + 1, length);
    memcpy(p + 9, text, length);
  }
}

/*
** Decoding.
*/
typedef struct DecodedFrame {
  uint8_t tag, state;
  int base;   /* the value being filled, or what stands for it */
  int target; /* where contents go: base, or a table to be dropped */
  int spilled, spill_at;
  uint32_t index, count; /* array or upvalues or arguments: done, of so many */
  uint32_t pairs;        /* left */
  size_t record;
} DecodedFrame;

typedef struct Decoder {
  lua_State *L;
  Message *m;
  const unsigned char *p;
  DecodedFrame *frames;
  int depth;
  int refs, spill; /* stack indices of helping tables, 0: not needed */
  int spilled;
  bool *fault; /* set when the error is ours: whoever catches it adds the position; NULL: we do */
} Decoder;

/* As message_decode; see Decoder for `fault`. */
int decode_message (lua_State *L, Message *m, bool *fault);

#endif
