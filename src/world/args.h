/*
** args.h - the conventions of arguments: timeouts, blocking, counts. One place
** each, so that the same mistake gets the same words everywhere.
*/
#ifndef WORLD_ARGS_H
#define WORLD_ARGS_H

#include "world/world.h"

/*
** The timeout at `arg`: nil, none or math.huge FOREVER; otherwise seconds as
** relative nanoseconds, rounded up. Negative, NaN, not a number: raises
** `timeout must be a non-negative number`. [0, 0, raises]
*/
Nanos args_timeout (lua_State *L, int arg);
/* Whether that argument is a timeout, or absent. */
bool args_is_timeout (lua_State *L, int arg);

/*
** `([blocking [, timeout]])` from `arg` on: relative nanoseconds, 0 for one
** try. A number in place of `blocking` is the timeout. With blocking false a
** timeout is an error where `strict`, else checked and ignored. [0, 0, raises]
*/
Nanos args_blocking (lua_State *L, int arg, bool strict);

/*
** The pointer at `arg` of a function that C code calls, under lua_pcall as a rule. The
** debug library shows such functions to scripts as well: called by one, it raises.
** [0, 0, raises]
*/
void *args_inner (lua_State *L, int arg);

/* Whether the value at `index` is a function, or is called like one. [0, 0, -] */
bool args_is_callable (lua_State *L, int index);

/* Raises `message` with the caller's position. [0, 0, raises] */
int args_misuse (lua_State *L, const char *message);

/*
** Puts the caller's position in front of the error at the top, if that is a string.
** [-1, +1, memory]
*/
void args_add_position (lua_State *L);

/* Raises `not enough memory` with the caller's position. [0, 0, raises] */
__attribute__((noreturn)) void args_no_memory (lua_State *L); /* in the form that cppcheck knows */

/* Whether the error at `index` says that memory was short. [0, 0, -] */
bool args_is_no_memory (lua_State *L, int index);

/*
** Raises where the table of options at `arg` has one that is not `known`, a list that
** NULL ends. [0, 0, raises]
*/
void args_option_names (lua_State *L, int arg, const char *const known[]);

#endif
