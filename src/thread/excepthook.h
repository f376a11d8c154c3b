/*
** excepthook.h - what is done with an error that ends a thread.
*/
#ifndef THREAD_EXCEPTHOOK_H
#define THREAD_EXCEPTHOOK_H

#include <lua.h>
#include "world/world.h"

/* set_excepthook(fn): sets the hook of the world, and returns the previous one. */
int excepthook_set (lua_State *L);

/* (thread, error, traceback): the hook of a world that has no other. */
int excepthook_default (lua_State *L);

/* __untaken(thread): whether nobody has taken its error yet. */
int excepthook_untaken (lua_State *L);

/* A message handler: keeps a traceback for excepthook_call, and leaves the error value alone. */
int excepthook_trace (lua_State *L);

/*
** Calls the hook for the error value at the top of the stack and the traceback that
** was kept. [-1, 0, -]
*/
void excepthook_call (lua_State *L);

/*
** Before the process ends: other threads whose error is with the hook get a moment to report
** it. Else an exit code could tell of an error that no text tells of.
*/
void excepthook_wait (World *world);

#endif
