/*
** registry.h - tables that each Lua state keeps for us in its registry.
*/
#ifndef BASE_REGISTRY_H
#define BASE_REGISTRY_H

#include <lua.h>

/*
** Pushes the table that the address `key` names, made at its first use in this
** state with room for `size` fields. Its keys ("k") or values ("v") are weak as
** `mode` says; NULL: neither. [0, +1, memory]
*/
void registry_push_table (lua_State *L, const void *key, const char *mode, int size);

#endif
