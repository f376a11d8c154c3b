/*
** local.c - Local: fields that are private to each thread.
**
** A thread is a Lua state, so its fields are an ordinary table in that state,
** the user value of its proxy: any value goes, and a field that leads back to
** the Local is an ordinary cycle, which the collector sees.
**
** But a Local may leave a state (in a queue, say), its proxy be collected, and
** come back: its fields must still be there. So where a Local is known to other
** threads, its fields are pinned as well, in the registry under its number,
** which is never used again as its address might be. A pin goes once the Local
** has been destroyed, or nobody but this state knows it any more; a sentinel
** looks at each collection, as the fields cannot be freed from another thread.
** (Fields that lead back to their Local by way of other objects: local_cycles.c. If a
** second thread's fields do so as well they keep it until one of the two threads ends.)
**
** Initial values are encoded when the Local is made, and decoded in each
** thread at its first touch.
*/
#include <stdlib.h>

#include "base/registry.h"
#include "objects/kinds.h"
#include "objects/local.h"
#include "message/message.h"
#include "world/args.h"
#include "world/memory.h"

/* What can be asked of a Local after its end; pins refer to it. */
struct Fate {
  atomic_int refs;
  World *world;   /* const after init: in whose memory it lies */
  Object *object; /* under fates_mu; NULL: destroyed */
};

typedef struct Local {
  Object object;
  Message *init; /* const after init; NULL: none */
  bool calls;    /* const after init: init is a function and its arguments */
  Fate *fate;    /* const after init */
} Local;

static pthread_mutex_t fates_mu = PTHREAD_MUTEX_INITIALIZER;

/* Registry keys. */
static const char pins_key;     /* table: number -> Pin */
static const char seen_key;     /* table with weak values: number -> proxy */
static const char sentinel_key; /* true: a sentinel is about */

static void fate_drop (Fate *fate) {
  if (fate != NULL && atomic_fetch_sub(&fate->refs, 1) == 1) world_free(fate->world, fate);
}

/* One reference, for the Local; NULL: no memory. */
static Fate *fate_new (Local *l) {
  World *world = l->object.world;
  Fate *fate = world_alloc(world, sizeof *fate);
  if (fate == NULL) return NULL;
  atomic_init(&fate->refs, 1);
  fate->world = world;
  fate->object = &l->object;
  return fate;
}

/* How many hold the Local; 0: it has been destroyed, or the pin has while the state closes. */
static int holders (Fate *fate) {
  int n;
  if (fate == NULL) return 0;
  pthread_mutex_lock(&fates_mu);
  n = fate->object == NULL ? 0 : (int)counted_refs(&fate->object->counted);
  pthread_mutex_unlock(&fates_mu);
  return n;
}

/*
** Pins.
*/

void local_push_pins (lua_State *L) { registry_push_table(L, &pins_key, NULL, 0); }

static int pin_gc (lua_State *L) {
  Pin *pin = luaL_checkudata(L, 1, "luasync.Pin");
  fate_drop(pin->fate);
  pin->fate = NULL;
  return 0;
}

/* Gives the userdata at the top the metatable `name`, in which `field` is `f`. [0, 0, memory] */
static void set_handler (lua_State *L, const char *name, const char *field, lua_CFunction f) {
  if (luaL_newmetatable(L, name)) {
    lua_pushcfunction(L, f);
    lua_setfield(L, -2, field);
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
  }
  lua_setmetatable(L, -2);
}

/*
** Whether the pin at the top, of the Local with the number below it, is still needed.
** [0, 0, memory]
*/
static bool is_needed (lua_State *L) {
  Pin *pin = lua_touserdata(L, -1);
  int n = holders(pin->fate);
  bool ours;
  registry_push_table(L, &seen_key, "v", 0);
  lua_pushvalue(L, -3);
  ours = lua_rawget(L, -2) != LUA_TNIL;
  lua_pop(L, 2);
  return n > 1 || (n == 1 && !ours);
}

static void push_sentinel (lua_State *L);

/*
** The sentinel's __gc: drops the pins that are no longer needed, and comes again while
** there are any.
*/
static int sweep (lua_State *L) {
  bool some = false;
  unsigned left = 0;
  registry_push_table(L, &pins_key, NULL, 0);
  lua_pushnil(L);
  while (lua_next(L, -2)) {
    bool needed = is_needed(L);
    some = some || needed;
    left += needed;
    lua_pop(L, 1);
    if (needed) continue;
    lua_pushvalue(L, -1);
    lua_pushnil(L);
    lua_rawset(L, -4);
  }
  if (thread_self != NULL) local_note_pins(left);
  lua_pushboolean(L, some);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &sentinel_key);
  if (some) push_sentinel(L);
  return 0;
}

static void push_sentinel (lua_State *L) {
  lua_newuserdatauv(L, 0, 0);
  set_handler(L, "luasync.Sentinel", "__gc", sweep);
}

static void ensure_sentinel (lua_State *L) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &sentinel_key);
  if (!lua_toboolean(L, -1)) {
    push_sentinel(L);
    lua_pushboolean(L, 1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &sentinel_key);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

/* Pushes a pin of the fields at the top. [0, +1, memory] */
static void push_pin (lua_State *L, Fate *fate, lua_Integer number) {
  Pin *pin = lua_newuserdatauv(L, sizeof *pin, 1);
  pin->fate = NULL;
  pin->number = number;
  set_handler(L, "luasync.Pin", "__gc", pin_gc);
  atomic_fetch_add(&fate->refs, 1);
  pin->fate = fate;
  lua_pushvalue(L, -2);
  lua_setiuservalue(L, -2, 1);
}

/* Pins the fields of the proxy at `index`; none or pinned already: does nothing. [0, 0, memory] */
static void pin_fields (lua_State *L, int index) {
  int top = lua_gettop(L);
  Local *l = object_test(L, index, &local_kind);
  if (l == NULL) return;
  index = lua_absindex(L, index);
  luaL_checkstack(L, 10, NULL);
  registry_push_table(L, &pins_key, NULL, 0);
  if (lua_rawgeti(L, -1, l->object.number) == LUA_TNIL
      && lua_getiuservalue(L, index, 1) == LUA_TTABLE) {
    registry_push_table(L, &seen_key, "v", 0);
    lua_pushvalue(L, index);
    lua_rawseti(L, -2, l->object.number);
    lua_pop(L, 1);
    push_pin(L, l->fate, l->object.number); /* pins nil fields pin */
    lua_rawseti(L, top + 1, l->object.number);
    ensure_sentinel(L);
    cycles_hold(&l->object);
    local_note_pin();
  }
  lua_settop(L, top);
}

static void local_departing (lua_State *L, int index, int along, bool again) {
  (void)along;
  (void)again;
  pin_fields(L, index);
}

static void unpin (lua_State *L, Local *l) {
  registry_push_table(L, &pins_key, NULL, 0);
  lua_pushnil(L);
  lua_rawseti(L, -2, l->object.number);
  lua_pop(L, 1);
}

/* Pushes the fields that a pin kept for the proxy, or nil. [0, +1, memory] */
static bool push_pinned (lua_State *L, Local *l) {
  registry_push_table(L, &pins_key, NULL, 0);
  if (lua_rawgeti(L, -1, l->object.number) == LUA_TUSERDATA) {
    lua_getiuservalue(L, -1, 1);
    lua_replace(L, -3);
    lua_pop(L, 1);
    registry_push_table(L, &seen_key, "v", 0);
    lua_pushvalue(L, 1);
    lua_rawseti(L, -2, l->object.number);
    lua_pop(L, 1);
    return true;
  }
  lua_pop(L, 2);
  return false;
}

/*
** Fields. The proxy is argument 1 of the running function.
*/

/* Makes the table at the top the fields of this thread. [0, 0, memory] */
static void set_fields (lua_State *L, Local *l) {
  lua_pushvalue(L, -1);
  lua_setiuservalue(L, 1, 1);
  if (counted_refs(&l->object.counted) > 1) pin_fields(L, 1);
}

/* __close of a first touch: (guard, error). After an error there has been no touch. */
static int touch_close (lua_State *L) {
  Local *l;
  luaL_checkudata(L, 1, "luasync.Touch");
  if (lua_isnoneornil(L, 2)) return 0;
  lua_getiuservalue(L, 1, 1);
  l = object_check(L, -1, &local_kind);
  lua_pushnil(L);
  lua_setiuservalue(L, -2, 1);
  unpin(L, l);
  return 0;
}

/*
** (self) runs the init function of a thread that is not the creator. A function
** of its own, as returning is the one way to close a variable with a stack that
** may move meanwhile: lua_settop of Lua 5.4.4 then writes to where it was.
*/
static int run_init (lua_State *L) {
  Local *l = object_check(L, 1, &local_kind);
  int n;
  lua_newuserdatauv(L, 0, 1);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, 1);
  set_handler(L, "luasync.Touch", "__close", touch_close);
  lua_toclose(L, -1);
  n = message_decode(L, l->init); /* function, arguments */
  lua_pushvalue(L, 1);
  lua_insert(L, 4);
  lua_call(L, n, 0);
  return 0;
}

/* The first touch in this thread. Pushes the fields. [0, +1, raises] */
static void touch (lua_State *L, Local *l) {
  luaL_checkstack(L, 20, NULL);
  if (push_pinned(L, l)) {
    lua_pushvalue(L, -1);
    lua_setiuservalue(L, 1, 1);
    return;
  }
  if (l->init != NULL && !l->calls) message_decode(L, l->init);
  else lua_newtable(L);
  set_fields(L, l);
  if (!l->calls) return;
  lua_pushcfunction(L, run_init);
  lua_pushvalue(L, 1);
  lua_call(L, 1, 0);
}

/* Pushes the fields of this thread. [0, +1, raises] */
static inline void push_fields (lua_State *L) {
  Local *l = object_check(L, 1, &local_kind);
  if (lua_getiuservalue(L, 1, 1) == LUA_TTABLE) return;
  lua_pop(L, 1);
  touch(L, l);
}

static int local_index (lua_State *L) {
  push_fields(L);
  lua_pushvalue(L, 2);
  lua_gettable(L, -2);
  return 1;
}

static int local_newindex (lua_State *L) {
  luaL_checkany(L, 3);
  if (lua_isnil(L, 2)) return luaL_error(L, "table index is nil");
  if (lua_type(L, 2) == LUA_TNUMBER && lua_tonumber(L, 2) != lua_tonumber(L, 2))
    return luaL_error(L, "table index is NaN");
  push_fields(L);
  lua_insert(L, 2);
  lua_settable(L, 2);
  return 0;
}

static int next_field (lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 2);
  if (lua_next(L, 1)) return 2;
  lua_pushnil(L);
  return 1;
}

static int local_pairs (lua_State *L) {
  lua_settop(L, 1);
  push_fields(L);
  lua_pushcfunction(L, next_field);
  lua_insert(L, 2);
  lua_pushnil(L);
  return 3;
}

/*
** The object.
*/

/* "2 fields", those of the running thread. [0, +1] */
static void describe (lua_State *L, Object *o) {
  int top = lua_gettop(L);
  lua_Integer count = 0;
  object_push(L, o);
  if (lua_getiuservalue(L, -1, 1) == LUA_TTABLE)
    for (lua_pushnil(L); lua_next(L, top + 2); lua_pop(L, 1)) count++;
  lua_settop(L, top);
  lua_pushfstring(L, count == 1 ? "%I field" : "%I fields", (LUAI_UACINT)count);
}

static void destroy (Object *o) {
  Local *l = (Local *)o;
  if (l->fate != NULL) {
    pthread_mutex_lock(&fates_mu);
    l->fate->object = NULL;
    pthread_mutex_unlock(&fates_mu);
    fate_drop(l->fate);
  }
  message_free(l->init);
}

static uint64_t visit (Object *o, CycleSearch *search) {
  message_visit(((Local *)o)->init, search);
  return 0;
}

static const luaL_Reg local_meta[] = {{"__index", local_index},
                                      {"__newindex", local_newindex},
                                      {"__pairs", local_pairs},
                                      {NULL, NULL}};

const Kind local_kind = {.name = "Local",
                         .destroy = destroy,
                         .describe = describe,
                         .meta = local_meta,
                         .departing = local_departing,
                         .visit = visit,
                         .values = 1};

/*
** Pushes a Local whose initial values are the n values from stack index `first`
** on. Encoding them may call Lua: the Local is not ready before. [0, +1, raises]
*/
static Local *create (lua_State *L, int options, int first, int n, bool calls) {
  Local *l = object_begin(L, sizeof *l, &local_kind, options);
  l->calls = calls;
  l->fate = fate_new(l);
  if (l->fate == NULL) args_no_memory(L);
  if (n > 0) l->init = message_encode(L, first, n, calls ? ROOT_CALL : ROOT_ITEM, l->object.world);
  if (message_leads(l->init)) cycles_hold(&l->object);
  object_ready(L, -1);
  return l;
}

/* Local([table]), Local(function, ...): the function is run at once in the creator. */
int local_new (lua_State *L) {
  int n = lua_gettop(L), before, options = 0;
  int type = lua_type(L, 1);
  bool calls = type == LUA_TFUNCTION;
  luaL_argexpected(L, type <= LUA_TNIL || type == LUA_TTABLE || calls, 1, "table or function");
  if (!calls && !lua_isnoneornil(L, 2)) {
    luaL_checktype(L, 2, LUA_TTABLE);
    options = object_options(L, 2, &before);
  }
  create(L, options, 1, type <= LUA_TNIL ? 0 : calls ? n : 1, calls);
  lua_insert(L, 1); /* self init ... */
  if (calls) {
    lua_newtable(L);
    lua_setiuservalue(L, 1, 1);
    lua_pushvalue(L, 1);
    lua_insert(L, 3); /* self init self ... */
    lua_call(L, n, 0);
  }
  lua_settop(L, 1);
  return 1;
}
