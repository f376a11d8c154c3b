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

#include "arena.h"

#define SMALL 1024                /* largest size with a list of its own */
#define SMALL_CLASSES (SMALL / 16)
#define CLASSES (SMALL_CLASSES + 2 * 54)
#define TRIM ((size_t)1 << 20)

struct Arena {
  size_t top;                     /* offset of the first byte never used */
  void *free[CLASSES + 1];
  /* what follows is not part of the image: see arena_restore */
  size_t reserve;
  char *image;
  size_t image_size;
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

static void *take (Arena *a, unsigned class, size_t rounded) {
  void *block = a->free[class];
  if (block != NULL) {
    memcpy(&a->free[class], block, sizeof(void *));
    return block;
  }
  if (rounded > a->reserve - a->top) return NULL;
  block = (char *)a + a->top;
  a->top += rounded;
  return block;
}

static void give (Arena *a, unsigned class, void *block) {
  memcpy(block, &a->free[class], sizeof(void *));
  a->free[class] = block;
}

void *arena_alloc (void *ud, void *block, size_t old, size_t new) {
  Arena *a = ud;
  size_t old_size = 0, new_size;
  unsigned old_class = 0, new_class;
  void *fresh;
  if (block != NULL && old != 0) old_class = class_of(old, &old_size);
  if (new == 0) {
    if (old_size != 0) give(a, old_class, block);
    return NULL;
  }
  if (new > a->reserve) return NULL;
  new_class = class_of(new, &new_size);
  if (old_size != 0 && new_class == old_class) return block;
  fresh = take(a, new_class, new_size);
  if (fresh == NULL || old_size == 0) return fresh;
  memcpy(fresh, block, old < new ? old : new);
  give(a, old_class, block);
  return fresh;
}

Arena *arena_new (void *address, size_t reserve) {
  int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  Arena *a = MAP_FAILED;
  if (address != NULL) a = mmap(address, reserve, PROT_READ | PROT_WRITE, flags | MAP_FIXED_NOREPLACE, -1, 0);
  if (a == MAP_FAILED) a = mmap(NULL, reserve, PROT_READ | PROT_WRITE, flags, -1, 0);
  if (a == MAP_FAILED) return NULL;
  a->top = (sizeof *a + 63) & ~(size_t)63;
  a->reserve = reserve;
  return a;
}

void arena_delete (Arena *a) {
  if (a == NULL) return;
  free(a->image);
  munmap(a, a->reserve);
}

bool arena_keep_image (Arena *a) {
  char *image = malloc(a->top);
  if (image == NULL) return false;
  a->image = image;
  a->image_size = a->top;
  memcpy(image, a, a->top);
  return true;
}

bool arena_has_image (const Arena *a) {
  return a->image != NULL;
}

void arena_restore (Arena *a) {
  size_t used = a->top, kept = (a->image_size + 4095) & ~(size_t)4095;
  void *user = a->user;
  char *image = a->image;
  memcpy(a, image, a->image_size);
  a->image = image;               /* as it is in the image but for the first time */
  a->user = user;
  if (used > kept + TRIM) madvise((char *)a + kept, ((used + 4095) & ~(size_t)4095) - kept, MADV_DONTNEED);
}

void arena_set_user (Arena *a, void *user) { a->user = user; }
void *arena_user (const Arena *a) { return a->user; }
