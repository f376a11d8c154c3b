/*
** heap.h - the memory of one Lua state that an OS thread runs.
**
**     Heap *h = heap_new();
**     lua_State *L = lua_newstate(heap_alloc, h);
**     …
**     lua_close(L);               // frees the heap too
**
** The first blocks of a state lie close together in its *home*, a region that
** can be copied to another address as a whole: HeapImage.
*/
#ifndef STATE_HEAP_H
#define STATE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <lua.h>

typedef struct Heap Heap;

/*
** An empty heap; NULL: no memory. It ends when the first block taken from it is freed:
** that is the Lua state itself.
*/
Heap *heap_new (void);

/*
** A lua_Alloc whose ud is the heap. Blocks are aligned to 8 bytes, as far as Lua's own
** objects need it.
*/
void *heap_alloc (void *ud, void *block, size_t old, size_t new);

/* Whether the next block of that size is there already: heap_alloc cannot fail. False says nothing. */
bool heap_has_room (const Heap *h, size_t size);

/*
** The same for a state that an image is to be made of: no word of a block has a part
** that lay there before. The end of an old address behind the end of a short string
** would make both together look like an address.
*/
void *heap_alloc_clean (void *ud, void *block, size_t old, size_t new);

/* Gives back to the system what is wholly free. */
void heap_trim (Heap *h);

/* Whether p lies in the home. */
bool heap_holds (const Heap *h, const void *p);

/*
** What a heap held when it had not grown beyond its home, wherever that was.
**
** A copy of it lies at another address: every word whose value lies between the
** home's beginning and its end is taken for an address and moved with it. That is
** right under two conditions, which the code that fills the state has to keep:
**
**  1. No table may have a key that Lua finds by its address in the home (a table, a
**     userdata, a closure, a coroutine): the copy would not find it. movable.c looks
**     for such keys.
**  2. No other word may look like such an address: no number, no piece of a string.
**     That cannot be checked. Addresses of mmap are large numbers, which libraries do
**     not have as they are opened; the state of math.random is set to a known one, and
**     heap_alloc_clean leaves no part of an old address beside new contents.
*/
typedef struct HeapImage HeapImage;

/*
** movable.c: whether the state L, all in the home of h, keeps the first condition; says
** on stderr when it does not. False also when memory is short. [0, 0, -]
*/
bool state_is_movable (lua_State *L, const Heap *h);

/* NULL: no memory, or the heap is too big. */
HeapImage *heap_image (Heap *h);

/* The state that was in it, `original`, in a new heap. NULL: no memory. */
lua_State *heap_copy (const HeapImage *image, lua_State *original);

#endif
