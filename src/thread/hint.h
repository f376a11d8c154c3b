/*
** hint.h - a line with the cure for an error, from luasync.hints.
*/
#ifndef HINT_H
#define HINT_H

#include <lua.h>

/*
** Appends "\nhint: ..." to the message at the top of the stack, where there is
** a cure for it. Whatever goes wrong with that, the message stays as it was.
** [-1, +1, -]
*/
void hint_append (lua_State *L);

/*
** Thread{ ... } found no value for the option `key`. Warns, once for each line
** of Lua code, where the call wrote one that turned out nil. [0, 0, memory]
*/
void hint_unset (lua_State *L, const char *key);

#endif
