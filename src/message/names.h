/*
** names.h - what every state has of its own travels as a name.
**
** A name says where the value stands in any state: in a loaded module, among the
** methods of files, or among the methods of our objects; then steps from there.
** As bytes it is the space, the module, a zero, and for each step its kind, a
** length and as many bytes:
**
**     L string \0                          package.loaded.string
**     L string \0 . 6 format               string.format
**     L shapes \0 . 3 new U 1 \2           upvalue 2 of shapes.new
**     L shapes \0 . 5 Point M 0            getmetatable(shapes.Point)
**     F \0 . 4 read                        io.stdout.read
**     K Queue \0 . 3 put                   Queue's method put
*/
#ifndef MESSAGE_NAMES_H
#define MESSAGE_NAMES_H

#include <lauxlib.h>
#include <lua.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NAME_LOADED = 'L', NAME_FILE = 'F', NAME_KIND = 'K' };        /* spaces */
enum { STEP_FIELD = '.', STEP_METATABLE = 'M', STEP_UPVALUE = 'U' }; /* kinds of steps */

/* A name that has been read. It points into the bytes. */
typedef struct Name {
  char space;
  const char *module; /* ends with a zero */
  const char *steps, *end;
} Name;

/* One step: `kind` from there to what is at `text`. */
typedef struct NameStep {
  char kind;
  const char *text;
  size_t length;
} NameStep;

/* The one reader. */
Name name_read (const char *bytes, size_t length);
bool name_next_step (Name *n, NameStep *step); /* false: no more */
/* Whether the name is that of a module. */
static inline bool name_is_whole (const Name *n) { return n->steps == n->end; }

/* The one writer: pushes a name without steps. [0, +1, memory] */
void name_push (lua_State *L, char space, const char *module);
/*
** Pushes the name at `index` with one step more; false, and nothing: it cannot be
** written. [0, +(0|1), memory]
*/
bool name_push_longer (lua_State *L, int index, NameStep step);

/*
** What a state knows: a table from values to names, and a filter of addresses.
*/
#define NAMES_FILTER 8192 /* bits */

/*
** The user values of the userdata: what would else be looked for in the registry, with
** each message.
*/
enum {
  NAMES_MAP = 1, /* from values to names */
  NAMES_ANSWERS, /* what names_loadable has found */
  NAMES_THINGS,  /* from values to Lastings: lasting.c */
  NAMES_INDEX,   /* the strings __index, __len, __eq and __transfer */
  NAMES_LEN,
  NAMES_EQ,
  NAMES_TRANSFER,
  NAMES_VALUES = NAMES_TRANSFER
};

typedef struct Names {
  uint64_t filter[NAMES_FILTER / 64]; /* tables that have a name or last */
  uint64_t loaded;   /* sum over package.loaded as it was when learnt; 0: not yet */
  const void *index; /* the string __index, as an object */
  bool stale;        /* a module has come since */
  bool watched;      /* package.loaded tells us of new ones */
} Names;

Names *names_peek (lua_State *L); /* this state's, or NULL: not made yet [0, 0, -] */
/* The same, and pushes the userdata that it is, or nil. [0, +1, -] */
Names *names_push_peeked (lua_State *L);
/* Pushes the userdata, made at first use. [0, +1, memory] */
Names *names_push_state (lua_State *L);
Names *names_get (lua_State *L); /* this state's; made at first use [0, 0, memory] */
/* Pushes the table from values to names. [0, +1, memory] */
void names_push_map (lua_State *L);
/* Pushes the table of answers of names_loadable. [0, +1, memory] */
void names_push_answers (lua_State *L);
void names_mark (Names *names, const void *table); /* the filter answers yes for it from now on */

/* False: the table surely has no name that has been learnt, nor lasts. */
bool names_maybe (const Names *names, const void *table);
/* True: nor is it a module that has been loaded since. */
bool names_surely_none (const Names *names, const void *table);

/*
** Learning: names_learn.c.
*/

/* Pushes package.loaded. [0, +1, memory] */
static inline void names_push_loaded (lua_State *L) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
}

/*
** Names what the module holds that stands under its name at the top, in the map at `map`.
** `watched`: it is just being loaded, so all that it holds is its own. names_walk.c.
** [-1, 0, memory]
*/
void names_walk_module (lua_State *L, Names *names, int map, bool watched);
/* Lua's own, or ours: whatever it holds is learnt function by function. */
bool names_is_ours (const char *module);

/*
** From now on a module that is loaded is learnt at once, before the script can change
** it. [0, 0, memory]
*/
void names_watch (lua_State *L);
/*
** Looks at package.loaded again, if that may have changed; `closely`: also for what the
** watch does not see. [0, 0, memory]
*/
void names_learn_modules (lua_State *L, bool closely);
/* Learns the C functions in all modules and the methods of files. [0, 0, memory] */
void names_learn_functions (lua_State *L);
/* Learns the methods of our objects. [0, 0, memory] */
void names_learn_methods (lua_State *L);
/* One of Lua's own libraries, or a basic function. */
bool names_is_library (const char *name);
const char *const *names_libraries (void); /* all tables but _G, NULL-terminated */
bool names_is_basic (const char *name);

/*
** The files of modules: names_files.c.
*/

/* Pushes how a function from the module's file names its source, or nil. [0, +1, memory] */
void names_push_source (lua_State *L, const char *module);
/*
** Whether any state can load the module by its name: no preloaded one, no table put
** there by hand. [0, 0, raises]
*/
bool names_loadable (lua_State *L, const char *module);

/*
** Search paths: names_paths.c.
*/

/* Other threads may look for modules where this state does. [0, 0, memory] */
void names_tell_paths (lua_State *L);
/* From now on this state looks there too; false: nobody looks anywhere else. [0, 0, memory] */
bool names_learn_paths (lua_State *L);

/*
** Names of values, values of names.
*/

/*
** Pushes the name of the module, C function, or module's own thing at `index`, if it
** has one. [0, +(0|1), memory]
*/
bool names_push (lua_State *L, int index);
/* Whether the value at the top is what every fresh state calls so. [0, 0, memory] */
bool names_standard (lua_State *L, const char *name);
/* 0, 1, 2: a standard stream; -1: not one. [0, 0, memory] */
int names_stream (lua_State *L, int index);
/* Pushes this state's stream. [0, +1, raises] */
void names_push_stream (lua_State *L, int stream);
/*
** names_address.c: Lua's own C functions, whatever has been put in their places.
*/

/*
** What has that name in a library of every state is f from now on; NULL: in simulated
** worlds it is a closure.
*/
void names_note_address (lua_CFunction f, const char *library, const char *name);
/* Pushes the name of f, if every state has it. [0, +(0|1), memory] */
bool names_push_of_address (lua_State *L, lua_CFunction f);
/* What every state, or every simulated one, has under that name; NULL: it is not known. */
lua_CFunction names_address (const char *library, const char *name, bool simulated);

/*
** Pushes what has the name here. Where there is no such thing it is a stand-in,
** which raises an error that says so as soon as it is used: a message that has
** been taken from its queue must not be lost. [0, +1, raises]
*/
void names_resolve (lua_State *L, const char *bytes, size_t length);

#endif
