/*
** private.h - what the files behind message.h share.
**
** A message is one block: the header below, then records. A record is a tag
** byte and what the tag says; offsets count from the start of the block, so
** that none is 0. Numbers lie unaligned and are copied in and out.
**
**     TABLE     narr:4 nrec:4, narr values, nrec times key and value, [metatable]
**     CLASS     id:8 narr:4 nrec:4, the rest as TABLE; id 0: it does not last
**     MODULE    length:4, a name: what follows is that module, in a CLASS
**     FUNCTION  id:8 nups:1 length:8, bytecode, nups values (or CELL)
**     LASTING   pointer:8 previous:8 id:8 update:8, see lasting.h
**     TRANSFER  n:4, n values: a function and its arguments
**     REF       offset:8 of an earlier record, which carries TAG_SHARED
**     CELL      offset:8 of an earlier function << 8 | number of its upvalue
**     NAMED     length:4, a name (names.c)
**     OBJECT    pointer:8 previous:8, the chain of what is counted
**
** Where the parts of a record lie is told by the constants below.
**
** Lua stack. One open record takes at most FRAME_SLOTS slots, on either side:
** the table, what stands for it, the key, and a copy of it or the value, which
** is where a record inside begins. Beyond SPILL_DEPTH open records the slots of
** the outer ones lie in a table. A step between two records needs less than
** LUA_MINSTACK. So `stack_needed` slots serve a whole message but for the values
** of a __transfer, which reserve their own number and this once more.
*/
#ifndef MESSAGE_PRIVATE_H
#define MESSAGE_PRIVATE_H

#include <stdalign.h>
#include <stdbool.h>
#include <stdlib.h>
#include "message/lasting.h"
#include "message/message.h"
#include "message/names.h"
#include "message/sent.h"
#include "world/memory.h"

enum {
  TAG_NIL,
  TAG_FALSE,
  TAG_TRUE,
  TAG_INTEGER,
  TAG_FLOAT,  /* 8 bytes */
  TAG_LIGHT,  /* a pointer */
  TAG_TEXT,   /* length:1, bytes */
  TAG_STRING, /* length:8, bytes */
  TAG_BARE,   /* the address of a C function */
  TAG_OBJECT,
  TAG_LASTING,
  TAG_STREAM, /* 0, 1, 2: io.stdin, io.stdout, io.stderr */
  TAG_NAMED,
  TAG_GLOBALS, /* the globals of the decoding state */
  TAG_REF,
  TAG_CELL,
  TAG_TABLE,
  TAG_CLASS,
  TAG_MODULE,
  TAG_FUNCTION,
  TAG_TRANSFER,
  TAG_OPEN,          /* a TRANSFER whose values are being encoded */
  TAG_META = 0x40,   /* a metatable follows */
  TAG_SHARED = 0x80, /* a REF or CELL refers to it */
  TAG_KIND = 0x3f
};

/* What the functions of a message assign, and that there are tables in it. */
enum { WATCH_LOCALS = 1, WATCH_GLOBALS = 2, WATCH_TABLES = 4 };

struct Message {
  Counted counted;     /* first */
  int count;           /* values; const after init, like all below */
  uint8_t watched;     /* bits, as in Encoder */
  uint32_t globals;    /* pairs of name and value behind them */
  uint32_t shared;     /* records with TAG_SHARED */
  uint32_t depth;      /* of open records, at most */
  uint32_t level;      /* definitions that lead to definitions: how many in a row, at most */
  uint64_t home;       /* the `unique` of the thread it comes from */
  size_t length;       /* of all, with this header */
  size_t last_counted; /* the chain of OBJECT and LASTING records; 0: none */
  World *owner;        /* in whose memory it lies; see memory.h */
  bool leads;          /* what is counted may hold further references, see cycles.h */
  bool plain;          /* one table, for decode_data */
};

/* Where the parts of records lie, counted from the tag; X_HEAD is where the contents begin. */
enum {
  TABLE_NARR = 1,
  TABLE_NREC = 5,
  TABLE_HEAD = 9,
  CLASS_ID = 1,
  CLASS_NARR = 9,
  CLASS_NREC = 13,
  CLASS_HEAD = 17,
  FUNCTION_ID = 1,
  FUNCTION_NUPS = 9,
  FUNCTION_LENGTH = 10,
  FUNCTION_HEAD = 18,
  TRANSFER_COUNT = 1,
  TRANSFER_HEAD = 5,
  REF_TARGET = 1,
  REF_RECORD = 9,
  NAMED_LENGTH = 1,
  NAMED_HEAD = 5,
  COUNTED_POINTER = 1,
  COUNTED_PREVIOUS = 9,
  OBJECT_RECORD = 17,
  LASTING_ID = 17,
  LASTING_UPDATE = 25,
  LASTING_RECORD = 33
};

/* Beyond this many open records the slots of the outer ones leave the Lua stack. */
#define SPILL_DEPTH 100
#define FRAME_SLOTS 4

/* The Lua stack that a message with so many open records at once may use. */
static inline int stack_needed (unsigned depth) {
  return FRAME_SLOTS * (int)(depth < SPILL_DEPTH ? depth : SPILL_DEPTH) + LUA_MINSTACK;
}

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

/* Drops what the OBJECT and LASTING records hold, from the one at offset `last` of `data` on. */
void message_drop_counted (unsigned char *data, size_t last);

void message_init (Message *m, World *owner, int count, size_t length);

/* Adds so many references at once, and drops so many that are not the last ones. */
void message_keep_many (Message *m, unsigned n);
void message_unkeep_many (Message *m, unsigned n);

/* A message for a thread of `to` that holds one string. [0, 0, memory] */
Message *message_of_string (lua_State *L, const char *text, size_t length, World *to);

/*
** The Lua stack slots of an open record: the head of Frame and DecodedFrame.
** A record inside it begins at the value that is at the top.
*/
typedef struct Slots {
  int base;     /* the first one */
  int spilled;  /* how many lie in the spill table instead */
  int spill_at; /* behind this index */
} Slots;

/*
** Moves the slots under the value at the top to the table at `spill`, which holds
** *used. [-n, 0, memory]
*/
void slots_spill (lua_State *L, Slots *s, int spill, int *used);
/* Moves them back, under the value in their place if there is one. [0, +n, -] */
void slots_restore (lua_State *L, Slots *s, int spill, int *used);

/*
** Encoding.
*/
typedef enum FrameKind { IN_TABLE, IN_FUNCTION, IN_TRANSFER } FrameKind;
typedef enum FrameState { AT_ARRAY, AT_PAIRS, AT_KEY, AT_META } FrameState;

/* A record whose contents are being encoded. Its slots: the table, the key [, the value]. */
typedef struct Frame {
  Slots slots; /* first */
  uint8_t kind, state;
  int first;             /* of the values of a transfer in the table of anchors */
  int sorted, next;      /* keys in the table of sorted ones; behind the last that was met */
  uint32_t index, count; /* narr, nrec; or done, of so many */
  size_t record;
} Frame;

typedef struct EncodedEntry {
  const void *key;
  size_t value; /* an offset, or the value of a CELL */
} EncodedEntry;

/*
** How a message is encoded. Each mode that is not enough is given up, and the
** next one begins the message anew; nobody has seen the attempt.
**
** MODE_PLAIN: data, objects, functions whose dump is kept, and instances of classes that
**   have a definition.
**   No Lua call is made that could raise or allocate, so nothing is protected.
** MODE_FULL: everything else, under lua_pcall.
** MODE_ANCHORED: the same, and every value that was met is kept alive, since a
**   __transfer or an __index is about to run: it may drop one, and a new value at
**   the same address would be taken for it.
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
  int state;    /* stack index of the userdata that they are, or of nil */
  World *to;
  Root root;
  Mode mode;
  int item;                           /* the value being encoded, from 1 */
  int spill, anchors, globals, order; /* stack indices of helping tables, nil until used */
  int defined; /* of the table of Lastings whose definition this is; 0: it is none */
  int spilled, anchored, ordered; /* how many they hold */
  int global;                     /* the global being encoded, from 1; 0: not yet */
  int global_count, defined_count;
  int transfers; /* open ones */
  uint32_t shared, level;
  size_t last_counted;
  bool definition;     /* a definition is made */
  bool metatable;      /* the next table serves as a metatable */
  bool fault;          /* the error raised is ours and lacks a position */
  bool again;          /* this mode is not enough */
  bool anchors_wanted; /* as the global that has been asked for is an __index function's */
  bool learnt;         /* package.loaded has been looked at for this message */
  bool departs;        /* there are handles whose kinds want to know */
  bool part;           /* they are added to a list that somebody else follows */
  bool leads, plain;   /* as in the message */
  uint8_t watched;     /* what the receiver may change: WATCH_… */
  Frame few_frames[PLAIN_DEPTH];
  EncodedEntry few_entries[FEW_ENTRIES];
  alignas(16) unsigned char scratch[SCRATCH];
} Encoder;

/* Room for n more bytes. [0, 0, memory] */
void encoder_reserve (Encoder *e, size_t n);
/* Frees all it holds outside of Lua; then it is empty. */
void encoder_release (Encoder *e);
/*
** Encodes the value at the top, or opens a frame for it; false: another mode is called
** for. [-(1|0), 0, raises]
*/
bool encode_top (Encoder *e);
/*
** The table or function at the top, whose record is there, lasts, as it turns out.
** [0, 0, memory]
*/
void encode_give_id (Encoder *e, size_t record);
/* The metatable at the top, in a message of plain data: one that has a definition. [-1, 0, -] */
bool encode_plain_metatable (Encoder *e);
/* encode_data.c: the table at `index`, in plain mode; false, and nothing: it is more than data. [0, 0, -] */
bool encode_data (Encoder *e, int index);
/* Encodes the value at the top with all that is in it. [-1, 0, raises] */
bool encode_run (Encoder *e);
/* Puts a REF in place of the value at the top. [-1, 0, raises] */
bool encoder_reference (Encoder *e, size_t target);
/* Puts the name at the top in place of the value under it. [-2, 0, memory] */
bool encoder_named (Encoder *e);
/* Whether any receiver can load the module of the name at the top. [0, 0, raises] */
bool encoder_loadable (Encoder *e);
/* Opens a frame for the value at the top. [0, 0, memory] */
void encoder_open (Encoder *e, FrameKind kind, size_t record, uint32_t count);
/* Closes the innermost frame; its slots go. */
void encoder_close (Encoder *e);
/* Marks a record that a REF or CELL refers to. */
void encoder_share (Encoder *e, size_t record);
/* encode_map_add, or an error. [0, 0, memory] */
void encoder_remember (Encoder *e, const void *key, size_t value);
/* Remembers that the value at the top has its record there. [0, 0, memory] */
void encoder_note (Encoder *e, size_t record);
/* Makes the helping table at `index`, unless it is there. [0, 0, memory] */
void encoder_table_used (Encoder *e, int index);

/* Raises `what (at path)`; `what` is a format of lua_pushfstring. */
_Noreturn void encoder_fault (Encoder *e, const char *format, ...);
_Noreturn void encoder_no_memory (Encoder *e);

/*
** encode.c: the definition of the value at `index`, for values whose Lastings are added
** to the table above it. [0, 0, raises]
*/
Message *encode_definition (lua_State *L, int index, World *to);

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

/* encode_order.c */
/* Sorts the keys of the table at the top, whose frame is open, if they must be. [0, 0, memory] */
void encode_order (Encoder *e);
/* lua_next for the innermost frame, in that order. [-1, +(2|0), -] */
bool encode_next (Encoder *e, Frame *f);

/* encode_transfer.c */
/* Whether the metatable at the top has __transfer, which then takes its place. [-1, +1, memory] */
bool encode_transfer_wanted (lua_State *L);
/* Encodes the value at the top but one by its __transfer at the top, in a frame. [-1, 0, raises] */
bool encode_transfer (Encoder *e);
/* Pushes the next value of a transfer; after the last, closes the frame. [0, +(0|1), memory] */
bool encode_argument (Encoder *e, Frame *f);

/* encode_function.c */
/* The function at the top. [-(1|0), 0, raises] */
bool encode_function (Encoder *e);
/* The same in plain mode: one whose code has been sent before. [-(1|0), 0, -] */
bool encode_plain_function (Encoder *e);
/*
** Pushes the next captured local, if it is to be encoded; after the last, closes the
** frame. [0, +(0|1), memory]
*/
bool encode_upvalue (Encoder *e, Frame *f);

/* encode_globals.c */
/* Whether the value at the top, of an upvalue called `name`, stands for the globals. [0, 0, -] */
bool encode_is_environment (lua_State *L, const char *name);
/* The global that the function at `index` names travels, if it is the script's. [0, 0, raises] */
void encode_note_global (Encoder *e, int index, const char *name, size_t length);
/*
** So does what the script has added to Lua's libraries under the name of this field.
** [0, 0, memory]
*/
void encode_note_addition (Encoder *e, const char *field, size_t length);
/* Encodes all that have been noted, and what is noted meanwhile. [0, 0, raises] */
bool encode_globals (Encoder *e);

/* encode_lasting.c */
/*
** A reference to the definition of the table at the top, in plain mode; false: there is
** none, or it is too old. [-1, 0]
*/
bool encode_lasting_plain (Encoder *e);
/*
** The table or function at the top lasts. True: a reference to its definition stands
** in its place. False: its contents are to be encoded under the id in *id. [-(1|0), 0, raises]
*/
bool encode_lasting (Encoder *e, uint64_t *id);
/* If this is a definition, it is one of the value at the top, which lasts. [0, 0, memory] */
void encode_defined (Encoder *e);
/*
** Whether the table at the top is the parent of the class around it: the field being
** encoded is `__index`.
*/
bool encode_is_parent (Encoder *e);
/*
** Whether the table at the top lasts; `module`: it is one that a receiver cannot load.
** [0, 0, memory]
*/
bool encode_lasts (Encoder *e, bool module);

/*
** bytecode.c: calls found(name) for the names of the globals, or fields, that dumped
** code gets. Bit i of env: upvalue i holds the globals. Returns what the code assigns,
** WATCH_…; 0 where fields are asked for.
*/
unsigned bytecode_names (const unsigned char *dump, size_t length, const uint32_t env[8],
                         bool fields, void (*found)(void *ud, const char *name, size_t length),
                         void *ud);
/* Where the dumped function stands; false: it does not say. */
bool bytecode_place (const unsigned char *dump, size_t length, SentFunction *f);
/* Where the parts of a dumped function lie. */
typedef struct BytecodeParts {
  size_t begin, upvalues, inner, end; /* of all; of the lists of upvalues and of functions in it */
  size_t count;                       /* of upvalues */
} BytecodeParts;
/* The dumped function, and in *inner the first one in it, if asked for; false: there is none. */
bool bytecode_parts (const unsigned char *dump, size_t length, BytecodeParts *outer,
                     BytecodeParts *inner);

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
  Slots slots; /* first; the value being filled, or what stands for it, is the first one */
  uint8_t tag, state;
  int target;            /* where contents go: slots.base, or the next slot, which is dropped */
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
  int kept;        /* of a table of the values that last, 0: this is no definition */
  int spilled, kept_count;
  const unsigned char *module; /* the MODULE record in front of the next one, or NULL */
} Decoder;

/* Room for so many that a message speaks of. */
static inline int decode_capped (uint32_t n) {
  return n < INT32_MAX / 64 ? (int)n : INT32_MAX / 64;
}

/* Reads a value; false: it is a record whose contents come first, in a frame of its own. */
bool decode_value (Decoder *d);
/* decode_data.c: pushes the one table of a message of plain data. [0, +1, raises] */
void decode_data (Decoder *d);

/* Pushes the module being read, if this state has loaded it by itself. [0, +(0|1), memory] */
bool decode_own_module (Decoder *d);
/* The table at the top is what `require` gives for its name, unless it has something. [0, 0, memory] */
void decode_load_module (Decoder *d);

#endif
