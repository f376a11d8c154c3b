/*
** block.h - memory of messages.
**
** As a rule one thread makes a message and another one frees it. The C library would take
** a lock both times, and the two threads would take that, and what it guards, from each
** other. So freed blocks of small messages go back in batches.
*/
#ifndef MESSAGE_BLOCK_H
#define MESSAGE_BLOCK_H

#include "world/memory.h"

/* Longer ones come from the world's memory like anything else. */
#if defined(__SANITIZE_ADDRESS__)
#define BLOCK_MOST 0 /* AddressSanitizer is to see who uses what has been freed */
#else
#define BLOCK_MOST 504
#endif

void *block_alloc (World *world, size_t size); /* NULL: no memory */
/* A block of that world and size, by whichever thread. */
void block_free (World *world, void *block, size_t size);

#endif
