/*
** files.h - the files that Lua code has written to.
*/
#ifndef STATE_FILES_H
#define STATE_FILES_H

#include <lauxlib.h>

/*
** Notes a file that is about to be written to, so that the end of the process
** flushes it. Where there is no memory for that, it is not noted. [0, 0, -]
*/
void files_note (luaL_Stream *s);

/*
** At the end of the process: flushes what has been noted. A file that a thread
** holds longer than so many milliseconds, all in all, is passed over.
*/
void files_flush (int patience);

/*
** Flushes what has been printed, and the running thread's own files: a program is
** about to run that may read them. No thread that reads a file is waited for.
*/
void files_flush_own (void);

/* Argument 1, an open file. [0, 0, raises] */
luaL_Stream *files_check (lua_State *L);
/* Pushes the default file, `which` being "input" or "output". [0, +1, raises] */
luaL_Stream *files_default (lua_State *L, const char *which);
/* Pushes a file and opens it; NULL, and errno: it cannot be opened. [0, +1, memory] */
FILE *files_open (lua_State *L, const char *name, const char *mode);

/* Replaces a method of files, unless files have none. [0, 0, memory] */
void files_set_method (lua_State *L, const char *name, lua_CFunction f);
/*
** Replaces io.open and io.flush, and the method flush, by versions whose thread
** says that it waits for the system. [0, 0, memory]
*/
void files_equip (lua_State *L);

#endif
