/*
** plain.h - reading and evaluating entries without a terminal.
*/
#ifndef COMMAND_PROMPT_PLAIN_H
#define COMMAND_PROMPT_PLAIN_H

#include <lua.h>

/* Reads entries from standard input and evaluates them until its end. [-all, +0, memory] */
void plain_run (lua_State *L);

#endif
