/*
** lasting.c - ids of tables and functions, and their definitions.
*/
#include "base/registry.h"
#include "message/private.h"
#include "world/thread_record.h"

#define KEPT 200
#define STOCK 1000 /* references to a definition that are taken at once */

static const char known_key, things_key; /* the Index; value -> Lasting */
static const char kept_key;              /* [1] to [KEPT]: values; [0]: the last one's place */
static const char box_key;               /* the metatable of Lastings */

/*
** Ids.
*/

void lasting_push_things (lua_State *L) { registry_push_table(L, &things_key, "k", 0); }

Lasting *lasting_find (lua_State *L, int index) {
  Lasting *l = NULL;
  index = lua_absindex(L, index);
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &things_key) == LUA_TTABLE) {
    lua_pushvalue(L, index);
    lua_rawget(L, -2);
    l = lua_touserdata(L, -1);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  return l;
}

Lasting *lasting_find_quickly (lua_State *L, int names) {
  Lasting *l;
  lua_getiuservalue(L, names, NAMES_THINGS);
  lua_pushvalue(L, -2);
  lua_rawget(L, -2);
  l = lua_touserdata(L, -1);
  lua_pop(L, 2);
  return l;
}

void lasting_undefine (Lasting *l) {
  if (l->definition == NULL) return;
  message_unkeep_many(l->definition, l->stock);
  message_free(l->definition);
  l->definition = NULL;
  l->stock = 0;
}

/*
** Whoever decodes the message drops the reference, on another processor as a rule: if
** the sender counted each one, the count would go to and fro between the two.
*/
Message *lasting_take_definition (Lasting *l) {
  if (l->stock == 0) {
    message_keep_many(l->definition, STOCK);
    l->stock = STOCK;
  }
  l->stock--;
  return l->definition;
}

/* __gc of a Lasting with a definition. */
static int drop_definition (lua_State *L) {
  Lasting *l = lua_touserdata(L, 1);
  if (l == NULL || lua_rawlen(L, 1) != sizeof *l || !lua_getmetatable(L, 1)) return 0;
  lua_rawgetp(L, LUA_REGISTRYINDEX, &box_key);
  if (!lua_rawequal(L, -1, -2)) return 0; /* debug.getregistry has led somebody here */
  lasting_undefine(l);
  return 0;
}

void message_abandon (lua_State *L) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &things_key) == LUA_TTABLE)
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) lasting_undefine(lua_touserdata(L, -1));
  lua_pop(L, 1);
}

/*
** Ids are numbers of the whole process. As keys of a Lua table they would decide
** how much memory it takes, and so when the collector runs: two runs of one
** simulated world would differ. Hence an index in one block whose size depends on
** the count alone; it leads to a place in a table of weak values.
*/
typedef struct Index {
  uint32_t mask, count; /* places - 1, a power of two; used ones */
  struct {
    uint64_t id; /* 0: free */
    uint32_t at;
  } entries[];
} Index;

/* The place of the id, or the free one where it belongs; NULL: there is no index. */
static uint32_t *find_entry (Index *x, uint64_t id, bool add) {
  uint32_t i = (uint32_t)((id * UINT64_C(0x9E3779B97F4A7C15)) >> 32) & x->mask;
  while (x->entries[i].id != 0 && x->entries[i].id != id) i = (i + 1) & x->mask;
  if (x->entries[i].id == 0) {
    if (!add) return NULL;
    x->entries[i].id = id;
    x->entries[i].at = ++x->count;
  }
  return &x->entries[i].at;
}

/* Pushes a new index with room for twice `n` ids, and its table. [0, +2, memory] */
static Index *push_new_index (lua_State *L, uint32_t n) {
  uint32_t size = 16;
  size_t bytes;
  Index *x;
  while (size < 4 * n) size *= 2;
  bytes = sizeof *x + size * sizeof *x->entries;
  x = lua_newuserdatauv(L, bytes, 1);
  memset(x, 0, bytes);
  x->mask = size - 1;
  lua_newtable(L);
  lua_createtable(L, 0, 1);
  lua_pushliteral(L, "v");
  lua_setfield(L, -2, "__mode");
  lua_setmetatable(L, -2);
  lua_pushvalue(L, -1);
  lua_setiuservalue(L, -3, 1);
  return x;
}

/* Pushes the index and its table with room for one more. [0, +2, memory] */
static Index *push_index (lua_State *L) {
  int top = lua_gettop(L);
  Index *old = NULL, *x;
  uint32_t live = 1;
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &known_key) == LUA_TUSERDATA) {
    old = lua_touserdata(L, -1);
    lua_getiuservalue(L, -1, 1);
    if (old->count <= old->mask / 2) return old;
    for (lua_pushnil(L); lua_next(L, top + 2); lua_pop(L, 1)) live++;
  }
  lua_settop(L, top + 2);
  x = push_new_index(L, live); /* old table new table */
  for (uint32_t i = 0; old != NULL && i <= old->mask; i++) {
    if (old->entries[i].id == 0) continue;
    if (lua_rawgeti(L, top + 2, old->entries[i].at) != LUA_TNIL)
      lua_rawseti(L, top + 4, *find_entry(x, old->entries[i].id, true));
    else lua_pop(L, 1);
  }
  lua_pushvalue(L, top + 3);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &known_key);
  lua_remove(L, top + 1);
  lua_remove(L, top + 1);
  return x;
}

/* The value at the top has that id here. [0, 0, memory] */
static void set_known (lua_State *L, uint64_t id) {
  Index *x = push_index(L);
  lua_pushvalue(L, -3);
  lua_rawseti(L, -2, *find_entry(x, id, true));
  lua_pop(L, 2);
}

bool lasting_push (lua_State *L, uint64_t id) {
  Index *x;
  const uint32_t *at;
  lua_rawgetp(L, LUA_REGISTRYINDEX, &known_key);
  x = lua_touserdata(L, -1);
  at = x != NULL ? find_entry(x, id, false) : NULL;
  if (at != NULL) {
    lua_getiuservalue(L, -1, 1);
    if (lua_rawgeti(L, -1, *at) != LUA_TNIL) {
      lua_replace(L, -3);
      lua_pop(L, 1);
      return true;
    }
    lua_pop(L, 2);
  }
  lua_pop(L, 1);
  return false;
}

static bool is_known (lua_State *L, uint64_t id) {
  bool yes = lasting_push(L, id);
  if (yes) lua_pop(L, 1);
  return yes;
}

/* In a simulated world it does not depend on what ran before. */
static uint64_t new_id (void) {
  World *world = thread_self->object.world;
  return world->base + 1 + atomic_fetch_add_explicit(&world->lasting, 1, memory_order_relaxed);
}

Lasting *lasting_register (lua_State *L, uint64_t id) {
  Names *names = names_peek(L);
  Lasting *l = lasting_find(L, -1);
  if (l == NULL) {
    lasting_push_things(L);
    lua_pushvalue(L, -2);
    l = lua_newuserdatauv(L, sizeof *l, 0);
    memset(l, 0, sizeof *l);
    lua_rawset(L, -3);
    lua_pop(L, 1);
  }
  l->id = id;
  set_known(L, id);
  if (names != NULL && lua_istable(L, -1)) names_mark(names, lua_topointer(L, -1));
  return l;
}

void lasting_alias (lua_State *L, uint64_t id) {
  const Lasting *l = lasting_find(L, -1);
  if (l == NULL) lasting_register(L, id);
  else if (l->id != id || !is_known(L, id)) set_known(L, id);
}

Lasting *lasting_get (lua_State *L, int index) {
  Lasting *l = lasting_find(L, index);
  if (l != NULL) return l;
  lua_pushvalue(L, index);
  l = lasting_register(L, new_id());
  lua_pop(L, 1);
  return l;
}

void lasting_updated (lua_State *L, uint64_t update) {
  Lasting *l = lasting_find(L, -1);
  if (l != NULL) l->update = update;
  set_known(L, update);
}

void lasting_keep (lua_State *L) {
  lua_Integer last;
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &kept_key) != LUA_TTABLE) {
    lua_pop(L, 1);
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &kept_key);
  }
  lua_rawgeti(L, -1, 0);
  last = lua_tointeger(L, -1) % KEPT + 1;
  lua_pushinteger(L, last);
  lua_rawseti(L, -3, 0);
  lua_pop(L, 1);
  lua_pushvalue(L, -2);
  lua_rawseti(L, -2, last);
  lua_pop(L, 1);
}

void lasting_mark_all (lua_State *L) {
  Names *names = names_peek(L);
  if (names == NULL) return;
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &things_key) == LUA_TTABLE)
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1))
      if (lua_istable(L, -2)) names_mark(names, lua_topointer(L, -2));
  lua_pop(L, 1);
}

/*
** Definitions.
*/

static unsigned long threads_of (World *world) {
  return atomic_load_explicit(&world->serials, memory_order_relaxed);
}

void lasting_prepare (lua_State *L) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &box_key) == LUA_TNIL) {
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, drop_definition);
    lua_setfield(L, -2, "__gc");
    lua_rawsetp(L, LUA_REGISTRYINDEX, &box_key);
    gain_prepare();
  }
  lua_pop(L, 1);
}

void lasting_push_box (lua_State *L, int index) {
  index = lua_absindex(L, index);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &things_key);
  lua_pushvalue(L, index);
  lua_rawget(L, -2);
  lua_remove(L, -2);
}

void lasting_define (lua_State *L, int index, Message *definition, World *world) {
  Lasting *l = lua_touserdata(L, index);
  if (l->definition == NULL) {
    lua_pushvalue(L, index);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &box_key);
    lua_setmetatable(L, -2);
    lua_pop(L, 1);
  }
  message_keep(definition);
  lasting_undefine(l);
  l->definition = definition;
  l->level = definition->level;
  l->leads = message_leads(definition);
  l->world = world;
  l->threads = threads_of(world);
}

bool lasting_ready (lua_State *L, Lasting *l, World *world, int names) {
  return l->definition != NULL && l->world == world && l->threads == threads_of(world)
         && !gain_has(L, -1, &l->gain, names);
}

void lasting_look (lua_State *L, Lasting *l, int names) {
  lasting_prepare(L);
  if (gain_look(L, -1, &l->gain, names)) lasting_updated(L, new_id());
}

/*
** Classes.
*/

bool lasting_is_class (lua_State *L, int index) {
  bool yes;
  index = lua_absindex(L, index);
  lua_pushliteral(L, "__index");
  lua_rawget(L, index);
  yes = lua_istable(L, -1) || lua_isfunction(L, -1);
  lua_pop(L, 1);
  return yes;
}

bool lasting_is_event (const char *key, size_t length) {
  static const char *const events[] = {
      "__index", "__newindex", "__call",      "__tostring", "__gc",   "__close",
      "__pairs", "__eq",       "__lt",        "__le",       "__len",  "__concat",
      "__unm",   "__add",      "__sub",       "__mul",      "__div",  "__mod",
      "__pow",   "__idiv",     "__band",      "__bor",      "__bxor", "__bnot",
      "__shl",   "__shr",      "__metatable", "__name",     "__mode", "__transfer"};
  for (size_t i = 0; i < sizeof events / sizeof *events; i++)
    if (strlen(events[i]) == length && memcmp(events[i], key, length) == 0) return true;
  return false;
}
