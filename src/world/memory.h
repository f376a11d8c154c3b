/*
** memory.h - memory for what belongs to a world: objects, names, messages, and
** all that lies in them.
**
** In the real world it is the C library's. In a simulated world it comes from
** the driver: it lies at addresses that are the same in every run, and goes as a
** whole when the world ends, so nothing in it has to be freed then.
**
** NULL as the world means memory that outlives any world: the C library's.
*/
#ifndef WORLD_MEMORY_H
#define WORLD_MEMORY_H

#include <stdlib.h>
#include <string.h>
#include "world/world.h"

/* Whether the world's memory goes as a whole when it ends. */
static inline bool world_memory_is_own (const World *world) {
  return __builtin_expect(world != NULL && world->driver->memory != NULL, 0);
}

/* NULL: no memory. */
static inline void *world_alloc (World *world, size_t size) {
  return world_memory_is_own(world) ? world->driver->memory(world, NULL, size) : malloc(size);
}

static inline void *world_alloc_zeroed (World *world, size_t size) {
  void *block;
  if (!world_memory_is_own(world)) return calloc(1, size);
  block = world->driver->memory(world, NULL, size);
  return block != NULL ? memset(block, 0, size) : NULL;
}

/* As realloc: NULL is allowed, and where it fails the old block stays. */
static inline void *world_realloc (World *world, void *block, size_t size) {
  return world_memory_is_own(world) ? world->driver->memory(world, block, size)
                                    : realloc(block, size);
}

/* NULL is allowed. The world must be the one that the block came from. */
static inline void world_free (World *world, void *block) {
  if (world_memory_is_own(world)) world->driver->memory(world, block, 0);
  else free(block);
}

static inline char *world_strdup (World *world, const char *text) {
  size_t size = strlen(text) + 1;
  char *copy = world_alloc(world, size);
  return copy != NULL ? memcpy(copy, text, size) : NULL;
}

#endif
