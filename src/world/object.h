/*
** object.h - what every luasync object has in common.
**
** An Object lives outside all Lua states, counted by references: one for each
** state that holds a proxy of it, one for each message, queue or shared table
** it lies in. A proxy is a full userdata {kind, object}; a state has at most
** one for an object, so two arrivals of one lock are the same table key.
**
**     Lock *lock = object_new(L, sizeof *lock, &lock_kind, name_index);
**     Lock *lock = object_check(L, 1, &lock_kind);
*/
#ifndef WORLD_OBJECT_H
#define WORLD_OBJECT_H

#include <lua.h>
#include <lauxlib.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/source_line.h"
#include "world/counted.h"
#include "world/cycles.h"

typedef struct Thread Thread;
typedef struct Late Late;

/* What a recording says of an object beside its events. */
typedef struct RecordedFacts {
  int64_t most;             /* maxsize, bound, parties; 0: none */
  int64_t first;            /* its state when it was made */
  Object *lock;             /* of a Condition */
  Object *same;             /* it is shown as this one; NULL: as itself */
  const struct Kind *shown; /* as one of this kind; NULL: its own */
} RecordedFacts;

typedef struct Kind {
  const char *name;                          /* "Lock": the constructor and __name */
  void (*destroy)(Object *o);                /* release what o owns; no Lua state at hand */
  void (*describe)(lua_State *L, Object *o); /* push the state: "unlocked" [0, +1] */
  const struct Kind *base;                   /* whose methods it has as well; NULL: none */
  const struct Kind *derived;                /* whose objects are of this kind, too; NULL: none */
  const luaL_Reg *methods;
  const luaL_Reg *meta;   /* further metamethods, may be NULL */
  lua_CFunction property; /* __index(self, key) for non-methods, may be NULL */
  /*
  ** The proxy at `index` is about to cross; may be NULL, may raise. What it encodes
  ** for that goes through message_encode_part with `along`. `again`: also if it has
  ** crossed before. [0, 0, raises]
  */
  void (*departing)(lua_State *L, int index, int along, bool again);
  void (*copy_name)(Object *o, char buffer[64]); /* where the name may change; NULL: it does not */
  /*
  ** What an operation of thread t on o could find right now: bits READY_… of op.h.
  ** NULL: everything.
  */
  unsigned (*ready)(Object *o, const Thread *t);
  /*
  ** Finds the references that o holds, see cycles.h, under its own mutex. Returns a
  ** version: while that is the same, all that were found are still there. `search` is
  ** NULL where only that is asked for. NULL: it holds none.
  */
  uint64_t (*visit)(Object *o, CycleSearch *search);
  const struct Selectable *select; /* for sync.select; NULL: it takes no such object */
  int values;                      /* user values a proxy carries */
  /*
  ** The thread that a waiter for o depends on, by serial: a lock's owner, the thread
  ** joined. 0: none in particular.
  */
  uint64_t (*awaited)(Object *o);
  /* Where that thread took it; false: it is not held. NULL: not known. */
  bool (*held_since)(Object *o, SourceLine *place);
  /* Where it was notified or set while no thread waited; false: it was not. May be NULL. */
  bool (*lost_wakeup)(Object *o, SourceLine *place);
  /*
  ** Clears what is left of the past and has no say in what can come, between two
  ** operations of a world in which no thread runs: states that are alike are then equal
  ** bytes. May be NULL.
  */
  void (*tidy)(Object *o);
  void (*recorded)(const Object *o, RecordedFacts *facts); /* NULL: there is nothing to say */
} Kind;

struct Object {
  Counted counted;      /* first */
  atomic_uint recorded; /* its number in a recording, from 1; 0: has none yet */
  atomic_bool holds;    /* it is among its world's holders; written under the mutex of these */
  const Kind *kind;     /* const after init */
  World *world;         /* const after init */
  unsigned number;      /* const after init; counts objects of a kind in a world */
  uint32_t maker,
      nth;    /* const after init: made by the thread with that serial (0: by none), its n-th */
  char *name; /* const after init (a thread's: under its own lock); NULL: kind-number */
  Object *next, *previous; /* among the holders; `next` also while it is being destroyed */
};

/* Fills in the header of zeroed memory of the world, as `name` is; one reference. */
void object_init (Object *o, const Kind *kind, World *world, char *name);

typedef struct Proxy {
  const Kind *kind;
  Object *object; /* NULL once finalised */
  Late *late;     /* NULL: finalised as usual */
} Proxy;

/*
** Makes an object of `size` bytes, zeroed behind the header, and pushes its
** proxy; the name is read from the options table at `options` (0: none).
** [0, +1, raises on memory]
*/
void *object_new (lua_State *L, size_t size, const Kind *kind, int options);

/*
** The same in two steps, for an object that needs more than zeroed memory to be
** whole. Finalisers and the debug library can come across the proxy in between:
** until object_ready no method takes it, and none can reach the object by it.
*/
void *object_begin (lua_State *L, size_t size, const Kind *kind, int options);
void object_ready (lua_State *L, int index); /* [0, 0, -] */

/*
** Whether the collector calls the running function, a __gc; the debug library lets a
** script call one. [0, 0, -]
*/
bool object_collector_calls (lua_State *L);

/*
** The object behind the proxy at `arg`, or NULL when it is not a proxy of `kind` or
** what is derived from it. [0, 0, -]
*/
static inline void *object_test (lua_State *L, int arg, const Kind *kind) {
  Proxy *p = lua_touserdata(L, arg);
  if (p == NULL || lua_rawlen(L, arg) != sizeof(Proxy)) return NULL;
  if (p->kind != kind && (kind->derived == NULL || p->kind != kind->derived)) return NULL;
  return p->object;
}

/* Raises "bad argument #arg to 'f' (Lock expected, got nil)". */
void *object_expected (lua_State *L, int arg, const char *expected);

static inline void *object_check (lua_State *L, int arg, const Kind *kind) {
  void *o = object_test(L, arg, kind);
  return o != NULL ? o : object_expected(L, arg, kind->name);
}

/* The object behind any luasync proxy at `index`, of whatever kind, or NULL. [0, 0, -] */
Object *object_any (lua_State *L, int index);

/* Makes what the first proxy of a state needs. [0, 0, memory] */
void object_prepare (lua_State *L);

/* Pushes the state's one proxy of `o`; takes no reference of the caller's away. [0, +1, memory] */
void object_push (lua_State *L, Object *o);

/*
** The objects that the state has proxies of, each of which has one reference: at most
** `most` into the list, or none where that is NULL. Returns how many. Neither raises
** nor collects. [0, 0, -]
*/
int object_list (lua_State *L, Object **list, int most);

void object_keep (Object *o);
void object_drop (Object *o); /* destroys at the last reference */
/* Takes back an object_keep, where no thread of the world has run but this one: nothing tells of it. */
void object_unkeep (Object *o);

/* A reference is about to be put into o that may lead to others. */
static inline void cycles_hold (Object *o) {
  if (!atomic_load_explicit(&o->holds, memory_order_relaxed)) cycles_add_holder(o);
}

/*
** For cycles.c. A reference of the search goes, which was no sign of anything. What
** can be reached no more is destroyed in two steps: first what it holds goes, of all.
*/
void object_let_go (Object *o);
void object_empty (Object *o);
void object_free (Object *o);

/* The name reports use: given, or made of kind and number; into buffer if made. */
const char *object_name (Object *o, char buffer[64]);

/*
** Pushes the metatable of `kind`, made at its first use in this state: a
** thread pays only for the kinds it meets. Its methods stand at [1]. [0, +1, memory]
*/
void object_metatable (lua_State *L, const Kind *kind);

/*
** All kinds there are, for telling proxies and finding methods by name:
** NULL-terminated; set once, before the first object.
*/
extern const Kind *const *object_kinds;

/*
** Checks the optional trailing options table of a constructor: `last` is the
** last argument position that may hold it, counted from 1. Returns its stack
** index or 0, and in *n how many arguments stand before it.
*/
int object_options (lua_State *L, int last, int *n);

#endif
