/*
** call.h - calls that Ctrl-C can end, and what the command says of errors.
*/
#ifndef COMMAND_CALL_H
#define COMMAND_CALL_H

#include <stdbool.h>
#include <lua.h>

/* Writes "program: message", or the message alone (program NULL), on stderr. */
void call_say (const char *program, const char *message);

/*
** Where status is an error: says the message at the top of the stack. Returns
** status. [-(0|1), +0, -]
*/
int call_report (lua_State *L, int status, const char *program);

/*
** Says what the next Ctrl-C does: interrupt the main thread (on), or end the
** process. The one after it ends the process.
*/
void call_catch_sigint (bool on);

/*
** Calls a function with n arguments; an error gets a traceback, and Ctrl-C is one.
** Returns the status. [-(n+1), +(results|1), -]
*/
int call_function (lua_State *L, int n, int results);

#endif
