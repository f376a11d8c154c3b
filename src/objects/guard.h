/*
** guard.h - `hold` and `with`, the same for all that is acquired and released.
**
** hold() acquires and returns the object itself, whose __close releases it:
** `local _ <close> = lock:hold()` allocates nothing.
*/
#ifndef OBJECTS_GUARD_H
#define OBJECTS_GUARD_H

#include <lauxlib.h>

/* with(self, fn, ...): acquires by calling `acquire` with self alone, and calls fn(...). */
int guard_with (lua_State *L, lua_CFunction acquire);
/* __close(self [, error]) */
int guard_close (lua_State *L, lua_CFunction release);
/* hold(self) */
int guard_hold (lua_State *L, lua_CFunction acquire);

#endif
