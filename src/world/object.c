/*
** object.c - proxies, metatables, names and reference counts.
**
** A state keeps one table of its proxies, by object, with weak values: an
** object that arrives a second time is the same userdata. The metatable of a
** kind is made when the first object of that kind shows up in a state, since a
** thread that only ever sees a queue should not pay for ten other kinds.
*/
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/registry.h"
#include "world/args.h"
#include "world/burden.h"
#include "world/cycles_later.h"
#include "world/memory.h"
#include "world/object.h"
#include "world/thread_record.h"

const Kind *const *object_kinds;

#define NOT_READY "object is not ready"
#define FINALISED "object has been finalised"

static const char proxies_key; /* its address names the table of proxies */

static unsigned kind_index (const Kind *kind) {
  unsigned i = 0;
  while (object_kinds[i] != kind) i++;
  return i;
}

/*
** Reference counts.
*/

void object_keep (Object *o) { counted_keep(&o->counted); }

/*
** Objects that hold the last reference to others, a million deep perhaps, are
** destroyed one after the other.
*/
static _Thread_local Object *doomed;
static _Thread_local bool destroying;

void object_init (Object *o, const Kind *kind, World *world, char *name) {
  counted_init(&o->counted);
  o->kind = kind;
  o->world = world;
  o->number = 1 + atomic_fetch_add(&world->numbers[kind_index(kind)], 1);
  o->name = name;
  if (thread_self == NULL || thread_self->object.world != world) return; /* a world's main thread */
  o->maker = (uint32_t)thread_self->serial;
  o->nth = ++thread_self->made;
}

void object_empty (Object *o) {
  if (atomic_load_explicit(&o->holds, memory_order_relaxed)) cycles_remove_holder(o);
  if (o->kind->destroy != NULL) o->kind->destroy(o);
}

void object_free (Object *o) {
  world_free(o->world, o->name);
  world_free(o->world, o);
}

/* There is no reference to it. */
static void destroy (Object *o) {
  if (atomic_load_explicit(&o->holds, memory_order_relaxed)) cycles_remove_holder(o);
  o->next = doomed;
  doomed = o;
  if (destroying) return; /* by one that lies in another: the outermost call goes on with it */
  destroying = true;
  while ((o = doomed) != NULL) {
    doomed = o->next;
    object_empty(o);
    object_free(o);
  }
  destroying = false;
}

void object_let_go (Object *o) {
  if (counted_drop(&o->counted)) destroy(o);
}

/* After its own reference has gone o is looked at no more: another thread may destroy it. */
void object_drop (Object *o) {
  Cycles *cycles = atomic_load_explicit(&o->holds, memory_order_relaxed) ? &o->world->cycles : NULL;
  if (counted_drop(&o->counted)) destroy(o);
  else if (cycles != NULL) atomic_fetch_add_explicit(&cycles->suspects, 1, memory_order_relaxed);
}

void object_unkeep (Object *o) {
  if (counted_refs(&o->counted) > 1) counted_unkeep(&o->counted);
  else object_drop(o);
}

const char *object_name (Object *o, char buffer[64]) {
  if (o->kind->copy_name != NULL) {
    o->kind->copy_name(o, buffer);
    return buffer;
  }
  if (o->name != NULL) return o->name;
  snprintf(buffer, 64, "%s-%u", o->kind->name, o->number);
  return buffer;
}

/*
** A proxy that a state's last finalisers give rise to: Lua promises it no
** finaliser, so its reference is dropped when the state has gone.
*/
struct Late {
  Cleanup cleanup; /* first */
  Object *object;
};

static void late_release (Cleanup *h) {
  Late *l = (Late *)h;
  object_drop(l->object);
  free(l);
}

/*
** If the state is closing, allocates the note that will drop the new proxy's
** reference; else *l is NULL. False: no memory.
*/
static bool late_room (Late **l) {
  bool late = cleanup_is_due();
  *l = late ? malloc(sizeof **l) : NULL;
  return !late || *l != NULL;
}

static void late_add (Proxy *p, Late *l) {
  p->late = l;
  if (l == NULL) return;
  l->object = p->object;
  cleanup_note(&l->cleanup, late_release);
}

/* The proxy p stands for o from now on. [0, 0, memory] */
static void refer (lua_State *L, Proxy *p, Object *o) {
  Late *l;
  if (!late_room(&l)) args_no_memory(L);
  object_keep(o);
  p->object = o;
  late_add(p, l);
}

/*
** Metamethods that all kinds have.
*/

Object *object_any (lua_State *L, int index) {
  Proxy *p = lua_touserdata(L, index);
  if (p == NULL || lua_rawlen(L, index) != sizeof(Proxy)) return NULL;
  for (const Kind *const *k = object_kinds; *k != NULL; k++)
    if (p->kind == *k) return p->object;
  return NULL;
}

/* What a proxy says it is between object_begin and object_ready: no method asks for that. */
static const Kind unready_kind;

/*
** A collection that begins while a hook is made ready has a "hook" as its name. A script that
** makes a finaliser its hook has it called with the event's name only.
*/
bool object_collector_calls (lua_State *L) {
  lua_Debug ar;
  if (!lua_getstack(L, 0, &ar) || !lua_getinfo(L, "n", &ar) || ar.name == NULL) return false;
  return strcmp(ar.namewhat, "hook") == 0
         || (strcmp(ar.name, "__gc") == 0 && strcmp(ar.namewhat, "metamethod") == 0);
}

static bool is_unready (lua_State *L, int index) {
  const Proxy *p = lua_touserdata(L, index);
  return p != NULL && lua_rawlen(L, index) == sizeof *p && p->kind == &unready_kind;
}

static int proxy_gc (lua_State *L) {
  Proxy *p = lua_touserdata(L, 1);
  World *world;
  Object *o;
  if (!object_collector_calls(L) || (object_any(L, 1) == NULL && !is_unready(L, 1))) return 0;
  o = p->object;
  p->object = NULL;
  if (p->late != NULL)
    cleanup_forget(&p->late->cleanup); /* of a state made for a report meanwhile */
  free(p->late);
  p->late = NULL;
  world = o->world;
  object_drop(o);
  cycles_poll(world, CYCLES_DROPPED);
  if (atomic_load_explicit(&world->cycles.suspects, memory_order_relaxed) > 0) cycles_later(L);
  return 0;
}

static int proxy_eq (lua_State *L) {
  Object *a = object_any(L, 1);
  lua_pushboolean(L, a != NULL && a == object_any(L, 2));
  return 1;
}

static int proxy_tostring (lua_State *L) {
  char buffer[64];
  Object *o = object_any(L, 1);
  if (o == NULL) return luaL_error(L, is_unready(L, 1) ? NOT_READY : FINALISED);
  if (o->kind->describe == NULL)
    lua_pushfstring(L, "%s '%s'", o->kind->name, object_name(o, buffer));
  else {
    o->kind->describe(L, o);
    lua_pushfstring(L, "%s '%s' (%s)", o->kind->name, object_name(o, buffer), lua_tostring(L, -1));
  }
  return 1;
}

/* __index of a kind with properties: methods first. Upvalues: the methods, the kind. */
static int proxy_index (lua_State *L) {
  const Kind *kind;
  lua_pushvalue(L, 2);
  if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) return 1;
  lua_settop(L, 2);
  kind = lua_touserdata(L, lua_upvalueindex(2));
  return kind->property(L);
}

static const luaL_Reg common_meta[] = {
    {"__gc", proxy_gc}, {"__eq", proxy_eq}, {"__tostring", proxy_tostring}, {NULL, NULL}};

/*
** What getmetatable shows: the name and the public metamethods, not the table at work.
** [table -- table]
*/
static void protect_metatable (lua_State *L, const Kind *kind) {
  lua_createtable(L, 0, 3);
  lua_pushstring(L, kind->name);
  lua_setfield(L, -2, "__name");
  lua_pushcfunction(L, proxy_eq);
  lua_setfield(L, -2, "__eq");
  lua_pushcfunction(L, proxy_tostring);
  lua_setfield(L, -2, "__tostring");
  lua_setfield(L, -2, "__metatable");
}

static int count (const luaL_Reg *functions) {
  int n = 0;
  while (functions != NULL && functions[n].name != NULL) n++;
  return n;
}

/*
** Sets __index of the metatable at the top: its methods, or a function that also knows
** its properties. [0, 0]
*/
static void set_index (lua_State *L, const Kind *kind) {
  lua_createtable(L, 0,
                  count(kind->methods) + (kind->base != NULL ? count(kind->base->methods) : 0));
  if (kind->base != NULL) luaL_setfuncs(L, kind->base->methods, 0);
  luaL_setfuncs(L, kind->methods, 0);
  lua_pushvalue(L, -1);
  lua_rawseti(L, -3, 1);
  if (kind->property != NULL) {
    lua_pushlightuserdata(L, (void *)kind);
    lua_pushcclosure(L, proxy_index, 2);
  }
  lua_setfield(L, -2, "__index");
}

/*
** Tables are made in their final size, because threads have little memory, and
** what is asked for most is put in first: then it stands where its hash says.
*/
void object_metatable (lua_State *L, const Kind *kind) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, kind) == LUA_TTABLE) return;
  lua_pop(L, 1);
  luaL_checkstack(L, 8, NULL);
  lua_createtable(L, 1, 6 + count(kind->meta));
  if (kind->methods != NULL) set_index(L, kind);
  if (kind->meta != NULL) luaL_setfuncs(L, kind->meta, 0);
  luaL_setfuncs(L, common_meta, 0);
  lua_pushstring(L, kind->name);
  lua_setfield(L, -2, "__name");
  protect_metatable(L, kind);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, kind);
}

/*
** Proxies.
*/

/* Pushes the state's table of proxies, with room for what most threads meet. [0, +1, memory] */
static void push_proxies (lua_State *L) { registry_push_table(L, &proxies_key, "v", 4); }

void object_prepare (lua_State *L) {
  push_proxies(L);
  lua_pop(L, 1);
}

/* Pushes an empty proxy: closed until it is given an object. [0, +1] */
static Proxy *push_empty (lua_State *L, const Kind *kind) {
  Proxy *p = lua_newuserdatauv(L, sizeof *p, kind->values);
  p->kind = kind;
  p->object = NULL;
  p->late = NULL;
  object_metatable(L, kind);
  lua_setmetatable(L, -2);
  return p;
}

/*
** Remembers the proxy at the top as the one of `o`, in the table of proxies under it,
** which goes. [-1, 0]
*/
static void remember (lua_State *L, Object *o) {
  lua_pushvalue(L, -1);
  lua_rawsetp(L, -3, o);
  lua_remove(L, -2);
}

/* A copy of the name in the options table at `options`, or NULL; *failed when memory is short. */
static char *option_name (lua_State *L, int options, bool *failed) {
  char *name = NULL;
  *failed = false;
  if (options != 0) {
    lua_getfield(L, options, "name");
    if (lua_isstring(L, -1)) {
      name = world_strdup(thread_self->object.world, lua_tostring(L, -1));
      *failed = name == NULL;
    }
    lua_pop(L, 1);
  }
  return name;
}

void object_ready (lua_State *L, int index) {
  Proxy *p = lua_touserdata(L, index);
  p->kind = p->object->kind;
}

void *object_new (lua_State *L, size_t size, const Kind *kind, int options) {
  void *o = object_begin(L, size, kind, options);
  object_ready(L, -1);
  return o;
}

void *object_begin (lua_State *L, size_t size, const Kind *kind, int options) {
  bool failed;
  World *world = thread_self->object.world;
  Proxy *p;
  Late *l;
  char *name;
  Object *o;
  burden_weigh(L, size);
  push_proxies(L);
  p = push_empty(L, kind);
  name = option_name(L, options, &failed);
  o = failed ? NULL : world_alloc_zeroed(world, size);
  if (o == NULL || !late_room(&l)) {
    world_free(world, o);
    world_free(world, name);
    args_no_memory(L);
  }
  object_init(o, kind, world, name);
  p->kind = &unready_kind;
  p->object = o;
  late_add(p, l);
  remember(L, o);
  return o;
}

/*
** Whether the value at `index` is a proxy whose finaliser has run; other finalisers
** may still meet it.
*/
static bool is_finalised (lua_State *L, int index) {
  const Proxy *p = lua_touserdata(L, index);
  if (p == NULL || lua_rawlen(L, index) != sizeof *p || p->object != NULL) return false;
  for (const Kind *const *k = object_kinds; *k != NULL; k++)
    if (p->kind == *k) return true;
  return false;
}

/*
** The proxy at the top, or NULL: through the debug library a script may have put anything
** into the table of proxies.
*/
static Proxy *top_proxy (lua_State *L) {
  return object_any(L, -1) != NULL || is_unready(L, -1) || is_finalised(L, -1)
             ? lua_touserdata(L, -1)
             : NULL;
}

void object_push (lua_State *L, Object *o) {
  Proxy *p;
  luaL_checkstack(L, 6, NULL);
  push_proxies(L);
  lua_rawgetp(L, -1, o);
  p = top_proxy(L);
  if (p != NULL && (p->object == o || p->object == NULL)) {
    lua_remove(L, -2);
    if (p->object == NULL) refer(L, p, o); /* finalised, as all are while a state closes */
    return;
  }
  lua_pop(L, 1);
  p = push_empty(L, o->kind);
  refer(L, p, o);
  remember(L, o);
}

int object_list (lua_State *L, Object **list, int most) {
  int n = 0;
  if (!lua_checkstack(L, 4)) return 0;
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &proxies_key) == LUA_TTABLE)
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
      const Proxy *p = top_proxy(L);
      if (p == NULL || p->object == NULL) continue; /* finalised */
      if (list != NULL && n == most) {
        lua_pop(L, 2);
        break;
      }
      if (list != NULL) list[n] = p->object;
      n++;
    }
  lua_pop(L, 1);
  return n;
}

void *object_expected (lua_State *L, int arg, const char *expected) {
  if (is_unready(L, arg)) luaL_argerror(L, arg, NOT_READY);
  if (is_finalised(L, arg)) luaL_argerror(L, arg, FINALISED);
  luaL_typeerror(L, arg, expected);
  return NULL;
}

/* Whether the value at `index` is a table made of options only: `name`, a string. */
static bool is_options (lua_State *L, int index) {
  bool yes = true;
  int count = 0;
  if (lua_type(L, index) != LUA_TTABLE || lua_getmetatable(L, index)) return false;
  lua_pushnil(L);
  while (yes && lua_next(L, index)) {
    yes = ++count == 1 && lua_type(L, -2) == LUA_TSTRING && strcmp(lua_tostring(L, -2), "name") == 0
          && lua_type(L, -1) == LUA_TSTRING;
    lua_pop(L, yes ? 1 : 2);
  }
  return yes && count == 1;
}

int object_options (lua_State *L, int last, int *n) {
  int top = lua_gettop(L);
  while (top > 0 && lua_isnil(L, top)) top--;
  *n = top;
  if (top == 0 || top > last || lua_type(L, top) != LUA_TTABLE) return 0;
  if (!is_options(L, top)) luaL_argerror(L, top, "options are { name = \"...\" }");
  lua_getfield(L, top, "name");
  luaL_argcheck(L, strlen(lua_tostring(L, -1)) == lua_rawlen(L, -1), top, "name contains zeros");
  lua_pop(L, 1);
  *n = top - 1;
  return top;
}
