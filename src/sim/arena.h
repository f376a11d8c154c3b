/*
** arena.h - memory in which one Lua state lives whole, at an address that can
** be the same in every process, so that it can be copied and put back.
**
**     Arena *a = arena_new(address, reserve);
**     lua_State *L = lua_newstate(arena_alloc, a);  … open libraries …
**     arena_keep_image(a);
**     … run …
**     arena_restore(a);           // L is as it was at arena_keep_image
*/
#ifndef SIM_ARENA_H
#define SIM_ARENA_H

#include <stdbool.h>
#include <stddef.h>

typedef struct Arena Arena;

/*
** Reserves `reserve` bytes at `address`, or anywhere where that is taken (NULL:
** anywhere). NULL: no memory.
*/
Arena *arena_new (void *address, size_t reserve);
void arena_delete (Arena *a);

/*
** A lua_Alloc whose ud is the arena. Strings take up to one half of it, everything else
** the other.
*/
void *arena_alloc (void *ud, void *block, size_t old, size_t new);

/* The memory in use: copied and put back, it is the arena as it was. */
#define ARENA_STRETCHES 3
typedef struct ArenaStretch {
  char *at;
  size_t length;
} ArenaStretch;
void arena_stretches (Arena *a, ArenaStretch s[ARENA_STRETCHES]);

/* Remembers the contents as they are; once for an arena. False: no memory. */
bool arena_keep_image (Arena *a);
/* The same for an arena with nothing in it. */
void arena_keep_empty (Arena *a);
/* Puts them back, and clears what has been used since: equal histories leave equal bytes. */
void arena_restore (Arena *a);

/* Clears a stretch above a top; what is large goes back to the system. */
void arena_clear (char *from, char *to);

#endif
