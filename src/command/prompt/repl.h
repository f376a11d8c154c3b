/*
** repl.h - the session at a terminal.
*/
#ifndef COMMAND_PROMPT_REPL_H
#define COMMAND_PROMPT_REPL_H

#include <lua.h>

/*
** Reads and evaluates entries until the user leaves. Other threads keep running;
** what they print meanwhile appears above the prompt. Does not raise. The
** threads that are left are the caller's to join; where the user wants them
** stopped, the process ends inside. [0, 0, -]
*/
void repl_run (lua_State *L);

#endif
