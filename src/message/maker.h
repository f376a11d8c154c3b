/*
** maker.h - functions of dumped code in the state that gets them.
*/
#ifndef MESSAGE_MAKER_H
#define MESSAGE_MAKER_H

#include <lua.h>
#include <stddef.h>

/*
** Pushes a function of that code with so many upvalues, all its own; what they hold is to
** be set. [0, +1, raises]
*/
void maker_push_function (lua_State *L, const unsigned char *code, size_t length, int nups);

#endif
