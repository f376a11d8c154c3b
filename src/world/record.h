/*
** record.h - what a recording hears of: every effect, where it takes place.
**
** While nothing is recorded a call costs one branch. What takes is recorded after it
** has taken, what gives before it gives: then no two owners overlap in a recording
** of OS threads, and no effect stands before its cause. Behind the door stands
** observe/recorder.c. A hook allocates nothing in a Lua state and never raises; it
** may be called with a mutex held.
*/
#ifndef WORLD_RECORD_H
#define WORLD_RECORD_H

#include "world/thread_record.h"

/* In the order of luasync.trace.recording's KINDS, which says what the fields mean. */
typedef enum RecordKind {
  RECORD_OP,
  RECORD_WAIT,
  RECORD_WAKE,
  RECORD_MOVED,
  RECORD_GO,
  RECORD_TURN,
  RECORD_YIELD,
  RECORD_CLOCK,
  RECORD_OUT,
  RECORD_END,
  RECORD_ERR,
  RECORD_HANDED
} RecordKind;

/* Effects that nothing announces; behind the operations of op.h. */
enum { RECORD_RUN = OP_COUNT + 1, RECORD_RESOLVE };

/* One effect. What it points to is borrowed. */
typedef struct Record {
  RecordKind kind;
  OpKind op;     /* OP_COUNT: none */
  void *object;  /* an Object, or NULL */
  Thread *who;   /* NULL: the running one */
  Thread *other; /* whom `a` names; NULL: `a` is a number */
  World *world;  /* of the clock; NULL: the world of `who` */
  int64_t a;     /* of a release: the serial of the owner */
  int64_t b;     /* the object's state after */
  Nanos time;    /* 0: now */
  const char *text;
  size_t length;
} Record;

typedef struct Recorder Recorder;

extern atomic_int worlds_recorded; /* how many worlds have a recorder */
/* Takes the effect in; set once, before the first world is recorded. */
extern void (*record_taker)(Recorder *recorder, const Record *r);
/*
** The process is about to end so, the world in whatever state; returns the exit code.
** NULL: nobody cares.
*/
extern int (*record_ending)(World *world, const char *verdict, int code);

/* Whether anything is recorded: one predictable branch. */
static inline bool record_is_on (void) {
  return __builtin_expect(atomic_load_explicit(&worlds_recorded, memory_order_relaxed) != 0, 0);
}

void record_take (const Record *r);
Nanos record_now (void);

/* What the inline functions below call; as they do. */
void record_take_op (Nanos time, OpKind op, void *object, int64_t a, int64_t b);
void record_take_handed (const Waiter *w, int64_t a, int64_t b);

/*
** A call of the running thread has taken effect. The arguments are worked out in any
** case: ask record_is_on first where that takes more than a few instructions.
*/
static inline void record (OpKind op, void *object, int64_t a, int64_t b) {
  if (record_is_on()) record_take_op(0, op, object, a, b);
}

/*
** The running thread has taken `object`, of which the state is `b` now. The recording
** says where it would not have waited for ever: `how` is "select", or NULL, when the
** deadline tells.
*/
void record_taken (OpKind op, void *object, int64_t b, const char *how, Nanos deadline);

/* The time at which the running thread begins to give something; 0 while nothing is recorded. */
static inline Nanos record_clock (void) { return record_is_on() ? record_now() : 0; }

/* The same for an effect that began at `time`. */
static inline void record_given (Nanos time, OpKind op, void *object, int64_t a, int64_t b) {
  if (record_is_on()) record_take_op(time, op, object, a, b);
}

/* The running thread does for a waiter, which it is about to wake, what that waits for. */
static inline void record_handed (const Waiter *w, int64_t a, int64_t b) {
  if (record_is_on()) record_take_handed(w, a, b);
}

/* Text: what is printed, and the short form of a value, ended by a zero. */
#define RECORD_VALUE 96
void record_text (RecordKind kind, OpKind op, void *object, int64_t a, int64_t b, const char *text,
                  size_t length);
/* The error at `index` is one that nobody has caught. [0, 0, -] */
void record_error (lua_State *L, int index);
/*
** The short form of the value at `index`: at most 22 bytes of a string, three fields of
** a table. Returns its length. [0, 0, -]
*/
size_t record_value (lua_State *L, int index, char text[RECORD_VALUE]);
/* "key = value", of the values at these indices; not ended by a zero. [0, 0, -] */
#define RECORD_FIELD (2 * RECORD_VALUE + 8)
size_t record_field (lua_State *L, int key, int value, char text[RECORD_FIELD]);
/* The number's digits; not ended by a zero. */
#define RECORD_INTEGER 24
size_t record_integer (lua_Integer n, char text[RECORD_INTEGER]);

#endif
