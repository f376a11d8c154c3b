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

/* An empty heap; NULL: no memory. It ends when the first block taken from it is freed: that is the Lua state itself. */
Heap *heap_new (void);

/* A lua_Alloc whose ud is the heap. Blocks are aligned to 8 bytes, as far as Lua's own objects need it. */
void *heap_alloc (void *ud, void *block, size_t old, size_t new);

/* What a heap held when it had not grown beyond its home, wherever that was. */
typedef struct HeapImage HeapImage;

/* NULL: no memory, or the heap is too big. Every word that may be an address in the home is taken for one. */
HeapImage *heap_image (Heap *h);

/* The state that was in it, `original`, in a new heap. NULL: no memory. */
lua_State *heap_copy (const HeapImage *image, lua_State *original);

#endif
