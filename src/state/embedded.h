/*
** embedded.h - the Lua modules inside this binary, and the files that they read; the
** table is made by the build.
*/
#ifndef STATE_EMBEDDED_H
#define STATE_EMBEDDED_H

#include <lua.h>
#include <stddef.h>

typedef struct Embedded {
  const char *name; /* "luasync.logging", "luasync/trace/page/style.css"; NULL ends the list */
  const char *code;
  size_t length;
} Embedded;

extern const Embedded luasync_embedded[];

/* Pushes the loader of the Lua module with that name, if there is one. [0, +(0|1), memory] */
int embedded_push_loader (lua_State *L, const char *name);

#endif
