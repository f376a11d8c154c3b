/*
** arena.c - a bump allocator with free lists by size.
**
** Lua tells the size of a block when it frees it, so blocks need no headers.
** Sizes are rounded up to 16; up to 1 KiB each size has a list of its own, above
** that each power of two and the step half-way to the next. The allocator's
** state lies at the start of the arena and is part of the image.
*/
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <lua.h>

#include "arena.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/lsan_interface.h>     /* pointers in an arena count, as those in any heap */
#define watch(a, size) __lsan_register_root_region(a, size)
#define unwatch(a, size) __lsan_unregister_root_region(a, size)
#else
#define watch(a, size) ((void)0)
#define unwatch(a, size) ((void)0)
#endif

#define SMALL 1024                /* largest size with a list of its own */
#define SMALL_CLASSES (SMALL / 16)
#define CLASSES (SMALL_CLASSES + 2 * 54)
#define TRIM ((size_t)1 << 20)

typedef struct Zone {
  size_t start, top, end;         /* offsets: its first byte, the first one never used, what follows it */
  void *free[CLASSES + 1];
} Zone;

enum { THINGS, STRINGS, ZONES };

struct Arena {
  Zone zones[ZONES];
  /* what follows is not part of the image: see arena_restore */
  char *image;
  void *user;
};

/* The class of a size, and in *rounded what a block of it takes. */
static unsigned class_of (size_t n, size_t *rounded) {
  unsigned shift;
  size_t half;
  if (n <= SMALL) {
    *rounded = (n + 15) & ~(size_t)15;
    return (unsigned)(*rounded / 16);
  }
  shift = 63 - (unsigned)__builtin_clzll(n - 1);    /* 2^shift <= n-1 < 2^(shift+1) */
  half = (size_t)3 << (shift - 1);
  if (n <= half) {
    *rounded = half;
    return SMALL_CLASSES + 2 * (shift - 10) + 1;
  }
  *rounded = (size_t)2 << shift;
  return SMALL_CLASSES + 2 * (shift - 10) + 2;
}

static void *take (Arena *a, Zone *z, unsigned class, size_t rounded) {
  void *block = z->free[class];
  if (block != NULL) {
    memcpy(&z->free[class], block, sizeof(void *));
    return block;
  }
  if (rounded > z->end - z->top) return NULL;
  block = (char *)a + z->top;
  z->top += rounded;
  return block;
}

static void give (Zone *z, unsigned class, void *block) {
  memcpy(block, &z->free[class], sizeof(void *));
  z->free[class] = block;
}

static Zone *zone_of (Arena *a, const void *block) {
  return &a->zones[(size_t)((const char *)block - (const char *)a) >= a->zones[STRINGS].start ? STRINGS : THINGS];
}

static void *take_new (Arena *a, int type, size_t size) {
  size_t rounded;
  unsigned class = class_of(size, &rounded);
  return take(a, &a->zones[type == LUA_TSTRING ? STRINGS : THINGS], class, rounded);
}

void *arena_alloc (void *ud, void *block, size_t old, size_t new) {
  Arena *a = ud;
  Zone *z;
  size_t old_size, new_size;
  unsigned old_class, new_class;
  void *fresh;
  if (new > a->zones[STRINGS].end) return NULL;
  if (block == NULL) return new > 0 ? take_new(a, (int)old, new) : NULL;
  z = zone_of(a, block);
  old_class = class_of(old, &old_size);
  if (new == 0) {
    give(z, old_class, block);
    return NULL;
  }
  new_class = class_of(new, &new_size);
  if (new_class == old_class) return block;
  fresh = take(a, z, new_class, new_size);
  if (fresh == NULL) return NULL;
  memcpy(fresh, block, old < new ? old : new);
  give(z, old_class, block);
  return fresh;
}

Arena *arena_new (void *address, size_t reserve) {
  int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  Arena *a = MAP_FAILED;
  size_t start = (sizeof *a + 63) & ~(size_t)63, middle = (reserve / 2) & ~(size_t)4095;
  if (address != NULL) a = mmap(address, reserve, PROT_READ | PROT_WRITE, flags | MAP_FIXED_NOREPLACE, -1, 0);
  if (a == MAP_FAILED) a = mmap(NULL, reserve, PROT_READ | PROT_WRITE, flags, -1, 0);
  if (a == MAP_FAILED) return NULL;
  a->zones[THINGS] = (Zone){.start = start, .top = start, .end = middle};
  a->zones[STRINGS] = (Zone){.start = middle, .top = middle, .end = reserve};
  watch(a, sizeof *a);
  return a;
}

void arena_delete (Arena *a) {
  if (a == NULL) return;
  free(a->image);
  unwatch(a, sizeof *a);
  munmap(a, a->zones[STRINGS].end);
}

/*
** The image: the arena from its start to the top of the things, then the strings.
*/

bool arena_keep_image (Arena *a) {
  size_t things = a->zones[THINGS].top, strings = a->zones[STRINGS].top - a->zones[STRINGS].start;
  char *image = malloc(things + strings);
  if (image == NULL) return false;
  a->image = image;
  memcpy(image, a, things);
  memcpy(image + things, (char *)a + a->zones[STRINGS].start, strings);
  return true;
}

bool arena_has_image (const Arena *a) {
  return a->image != NULL;
}

/* Gives back what lies far above the top that the zone has again. */
static void trim (Arena *a, const Zone *z, size_t used) {
  size_t kept = (z->top + 4095) & ~(size_t)4095;
  if (used > kept + TRIM) madvise((char *)a + kept, ((used + 4095) & ~(size_t)4095) - kept, MADV_DONTNEED);
}

void arena_restore (Arena *a) {
  size_t things = a->zones[THINGS].top, strings = a->zones[STRINGS].top;
  void *user = a->user;
  char *image = a->image;
  const Zone *z = ((const Arena *)(void *)image)->zones;
  memcpy(a, image, z[THINGS].top);
  memcpy((char *)a + z[STRINGS].start, image + z[THINGS].top, z[STRINGS].top - z[STRINGS].start);
  a->image = image;               /* as it is in the image but for the first time */
  a->user = user;
  trim(a, &a->zones[THINGS], things);
  trim(a, &a->zones[STRINGS], strings);
}

void arena_set_user (Arena *a, void *user) { a->user = user; }
void *arena_user (const Arena *a) { return a->user; }
