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
#include <stdint.h>

typedef struct Arena Arena;

/*
** Reserves `reserve` bytes at `address`, or anywhere where that is taken (NULL:
** anywhere). in_pages: what is allocated begins with a page, not behind the allocator's state.
** NULL: no memory.
*/
Arena *arena_new (void *address, size_t reserve, bool in_pages);
void arena_delete (Arena *a);

/*
** A lua_Alloc whose ud is the arena. Strings take up to one half of it, everything else
** the other.
*/
void *arena_alloc (void *ud, void *block, size_t old, size_t new);

/*
** The memory in use: copied and put back, it is the arena as it was. The first stretch is the
** allocator's state, of which arena_version tells whether it has changed; who puts it back puts
** its version back too.
*/
#define ARENA_STRETCHES 3
typedef struct ArenaStretch {
  char *at;
  size_t length;
} ArenaStretch;
void arena_stretches (Arena *a, ArenaStretch s[ARENA_STRETCHES]);
uint64_t arena_version (const Arena *a);
void arena_set_version (Arena *a, uint64_t version);

/* Remembers the contents as they are; once for an arena. False: no memory. */
bool arena_keep_image (Arena *a);
/* The same for an arena with nothing in it. */
void arena_keep_empty (Arena *a);
/* Puts them back, and clears what has been used since: equal histories leave equal bytes. */
void arena_restore (Arena *a);

/* Clears a stretch above a top; what is large goes back to the system. */
void arena_clear (char *from, char *to);

#endif
