/*
** program.h - the life of the process, for the command.
*/
#ifndef MODULE_PROGRAM_H
#define MODULE_PROGRAM_H

#include <stdbool.h>
#include <lua.h>

/*
** Makes the main state of the real world: libraries opened, `module` at hand for
** require. NULL when memory is short.
*/
lua_State *program_open (lua_CFunction module);

/*
** The end of the program: the main script is over with `status` (0: well, else
** an error). Joins the non-daemon threads, closes L, flushes what was printed.
** Returns the exit code: 0, or 1 for an error in main or in a thread whose
** error nobody took. Where daemon threads are left the process ends inside.
*/
int program_close (lua_State *L, int status);

/* Whether a deadlock in the real world ends the program; it does unless told otherwise. */
void program_check_deadlocks (bool check);

/*
** Stock Lua: the OS thread that calls becomes a thread of the real world, and L its
** state, unless it is one already. The initial thread of the process is the main
** one: when its state is closed, the non-daemon threads are joined first. Any other
** is a dummy thread until its state is closed. False: no memory. [0, 0, memory]
*/
bool program_attach_stock (lua_State *L, lua_CFunction module);

/*
** Ends the process at once with what was printed flushed; other threads may be
** running. In a simulated world: ends that.
*/
_Noreturn void program_exit (int code);

#endif
