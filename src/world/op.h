/*
** op.h - operations: what a thread says at the door before it acts on an object.
**
** One table has all there is to know of each kind of operation: the word that
** reports use, what it does to its object, and what it must wait for. The
** scheduler of a simulated world, the search and the reports read it there; no
** second list stands anywhere.
*/
#ifndef WORLD_OP_H
#define WORLD_OP_H

#include <stdbool.h>
#include <stdint.h>

#include <lua.h>
#include "world/object.h"

/* What must be so before an operation can take effect: bits of Kind.ready. */
enum {
  READY_TAKE =
      1, /* lock free, value positive, item there, flag set, thread ended, table not being updated */
  READY_ROOM = 2,  /* a queue has room */
  READY_DONE = 4,  /* all tasks of a queue are done */
  READY_WRITE = 8, /* an RWLock is free, and the thread the first in its line */
  READY_ERROR =
      16 /* a thread has not been started: to join it is a mistake, which is told at once */
};

/* What is true of an operation. */
enum {
  OP_READS = 1, /* leaves its object as it was: two of these never depend on each other */
  OP_LOOKS = 2, /* brings nothing forward: a program of these alone is a livelock */
  OP_TIMED = 4, /* looks, where it ends by its timeout */
  OP_APART = 8  /* has no object that another operation could depend on */
};

/*
** What it makes happen before what. An object has up to two memories of threads' times:
** one that is given to and taken from as things go through it, and one for the way back,
** a queue's room and the like.
*/
enum {
  ORDER_GIVES = 1, /* what its thread has done happens before what a later taker does */
  ORDER_TAKES = 2,
  ORDER_GIVES_BACK = 4,
  ORDER_TAKES_BACK = 8,
  ORDER_ENDS = 16, /* takes from every thread that has ended */
  ORDER_ALL = 32,  /* takes from every thread */
  ORDER_LOCK = 64, /* says only that both do not happen at a time */
  ORDER_DATA = 128 /* reads or writes a Shared: where no lock or the like orders two, they race */
};

/*
**   X(kind, word in reports, needs, flags, order)
*/
/* clang-format off */
#define OP_TABLE(X) \
  X(OP_ACQUIRE,     "acquire",     READY_TAKE, OP_TIMED, ORDER_TAKES | ORDER_LOCK) \
  X(OP_TRY_ACQUIRE, "try acquire", 0,          OP_LOOKS, ORDER_TAKES | ORDER_LOCK) \
  X(OP_RELEASE,     "release",     0,          0, ORDER_GIVES | ORDER_LOCK) \
  X(OP_WAIT,        "wait",        0,          OP_TIMED, ORDER_GIVES | ORDER_LOCK) \
  X(OP_REACQUIRE,   "reacquire",   READY_TAKE, OP_LOOKS, ORDER_TAKES | ORDER_LOCK) \
  X(OP_NOTIFY,      "notify",      0,          0, 0) \
  X(OP_SET,         "set",         0,          0, ORDER_GIVES) \
  X(OP_CLEAR,       "clear",       0,          0, 0) \
  X(OP_IS_SET,      "is_set",      0,          OP_READS | OP_LOOKS, ORDER_TAKES) \
  X(OP_WAIT_SET,    "wait",        READY_TAKE, OP_READS | OP_LOOKS, ORDER_TAKES) \
  X(OP_DOWN,        "acquire",     READY_TAKE, OP_TIMED, ORDER_TAKES) \
  X(OP_TRY_DOWN,    "try acquire", 0,          OP_LOOKS, ORDER_TAKES) \
  X(OP_UP,          "release",     0,          0, ORDER_GIVES) \
  X(OP_VALUE,       "value",       0,          OP_READS | OP_LOOKS, ORDER_TAKES) \
  X(OP_PUT,         "put",         READY_ROOM, OP_TIMED, ORDER_GIVES | ORDER_TAKES_BACK) \
  X(OP_GET,         "get",         READY_TAKE, OP_TIMED, ORDER_TAKES | ORDER_GIVES_BACK) \
  X(OP_TRY_PUT,     "try put",     0,          OP_LOOKS, ORDER_GIVES | ORDER_TAKES_BACK) \
  X(OP_TRY_GET,     "try get",     0,          OP_LOOKS, ORDER_TAKES | ORDER_GIVES_BACK) \
  X(OP_TASK_DONE,   "task_done",   0,          0, ORDER_GIVES_BACK) \
  X(OP_QUEUE_JOIN,  "join",        READY_DONE, OP_READS | OP_LOOKS, ORDER_TAKES_BACK) \
  X(OP_SHUTDOWN,    "shutdown",    0,          0, ORDER_GIVES | ORDER_GIVES_BACK) \
  X(OP_ARRIVE,      "wait",        0,          OP_TIMED, ORDER_GIVES | ORDER_TAKES) \
  X(OP_ABORT,       "abort",       0,          0, ORDER_GIVES) \
  X(OP_RESET,       "reset",       0,          0, ORDER_GIVES) \
  X(OP_READ_LOCK,   "read",        READY_TAKE, OP_READS | OP_TIMED, ORDER_TAKES | ORDER_LOCK) \
  X(OP_READ_UNLOCK, "release",     0,          OP_READS, ORDER_GIVES_BACK | ORDER_LOCK) \
  X(OP_WRITE_LOCK,  "write",       0,          0, ORDER_TAKES | ORDER_TAKES_BACK | ORDER_LOCK) \
  X(OP_WRITE_TAKE,  "write",       READY_WRITE, OP_TIMED, ORDER_TAKES | ORDER_TAKES_BACK | ORDER_LOCK) \
  X(OP_WRITE_UNLOCK, "release",    0,          0, ORDER_GIVES | ORDER_LOCK) \
  X(OP_TIMER,       "wait",        READY_DONE, OP_TIMED, ORDER_TAKES | ORDER_ENDS) \
  X(OP_CANCEL,      "cancel",      0,          0, ORDER_GIVES) \
  X(OP_SCOPE_JOIN,  "join",        READY_DONE, OP_READS | OP_LOOKS, ORDER_ENDS) \
  X(OP_RESULT,      "result",      READY_TAKE, OP_READS | OP_LOOKS, ORDER_TAKES) \
  X(OP_POOL_JOIN,   "shutdown",    READY_DONE, OP_READS | OP_LOOKS, ORDER_ENDS) \
  X(OP_SETTLE,      "settle",      0,          OP_LOOKS, ORDER_ALL) \
  X(OP_SELECT,      "select",      READY_TAKE, OP_TIMED, ORDER_TAKES | ORDER_GIVES_BACK) \
  X(OP_LOOK,        "look",        0,          OP_READS | OP_LOOKS, ORDER_TAKES | ORDER_TAKES_BACK | ORDER_ENDS) \
  X(OP_READ,        "get",         READY_TAKE, OP_READS | OP_LOOKS, ORDER_DATA) \
  X(OP_WRITE,       "set",         READY_TAKE, 0, ORDER_DATA) \
  X(OP_UPDATE,      "update",      READY_TAKE, 0, ORDER_GIVES | ORDER_TAKES) \
  X(OP_TRAVERSE,    "pairs",       READY_TAKE, OP_READS | OP_LOOKS, ORDER_DATA) \
  X(OP_SNAPSHOT,    "snapshot",    READY_TAKE, OP_READS | OP_LOOKS, ORDER_DATA) \
  X(OP_START,       "start",       0,          0, ORDER_GIVES_BACK) \
  X(OP_JOIN,        "join",        READY_TAKE | READY_ERROR, OP_READS | OP_LOOKS, ORDER_TAKES) \
  X(OP_INTERRUPT,   "interrupt",   0,          0, ORDER_GIVES_BACK) \
  X(OP_END,         "end",         0,          0, ORDER_GIVES) \
  X(OP_EXIT,        "exit",        0,          0, 0) \
  X(OP_EXIT_LAST,   "exit",        READY_DONE, 0, 0) \
  X(OP_SLEEP,       "sleep",       0,          OP_LOOKS | OP_APART, 0) \
  X(OP_CLOCK,       "clock",       0,          OP_READS | OP_LOOKS, 0) \
  X(OP_OUTPUT,      "print",       0,          OP_APART, 0)
/* clang-format on */

#define OP_KIND(kind, word, needs, flags, order) kind,
typedef enum OpKind { OP_TABLE(OP_KIND) OP_COUNT } OpKind;
#undef OP_KIND

typedef struct Waiter Waiter;

typedef struct OpInfo {
  const char *word;
  unsigned char needs, flags, order;
} OpInfo;

extern const OpInfo op_info[OP_COUNT];

/* One operation, as announced before it takes effect. What it points to is borrowed. */
typedef struct Op {
  OpKind kind;
  Object *object; /* NULL: none (sleep, clock) */
  Object *second; /* a condition's lock, for OP_WAIT; what else it looks at; or NULL */
  Waiter *const
      *among;      /* OP_SELECT: a waiter for each object; `object` is the first one's; else NULL */
  int among_count; /* of these */
  const void *key; /* the SharedKey of an operation on one key of a Shared; else NULL */
  bool removes;    /* OP_WRITE: the new value is nil */
  bool deaf;       /* an interrupt does not end it: Waiter.deaf */
  bool aside;      /* it counts for no step of a run: not all runs have it */
  int64_t until;   /* Nanos: how long the thread may wait for it; FOREVER */
  lua_State *L;    /* the caller: its file and line can be asked for */
} Op;

#endif
