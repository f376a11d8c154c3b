/*
** arena.c - a bump allocator with free lists by size.
**
** Lua tells the size of a block when it frees it, so blocks need no headers.
** Sizes are rounded up to 16; up to 1 KiB each size has a list of its own, above
** that each power of two and the step half-way to the next. The allocator's
** state lies at the start of the arena and is part of the image.
**
** An image is copied for every thread that starts, so it should be small. Before
** the image is taken, free blocks are split rather than the zone extended. After
** it, they are split only when the zone is full.
**
** Memory is mapped step by step as the zones grow: tools that keep book of every
** mapped byte would take minutes over the whole.
*/
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <lua.h>

#include "sim/arena.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/lsan_interface.h> /* pointers in an arena count, as those in any heap */
#define watch(p, size) __lsan_register_root_region(p, size)
#define unwatch(p, size) __lsan_unregister_root_region(p, size)
#else
#define watch(p, size) ((void)0)
#define unwatch(p, size) ((void)0)
#endif

#define SMALL 1024 /* largest size with a list of its own */
#define SMALL_CLASSES (SMALL / 16)
#define LARGEST 32 /* log2 of sizes there are lists for */
#define CLASSES (SMALL_CLASSES + 2 * (LARGEST - 10))
#define TRIM ((size_t)1 << 20)
#define STEP ((size_t)1 << 20) /* mapped at a time, at least */
#define TOUCHED ((size_t)2048) /* half a page: any page that a block has a part of */

typedef struct Zone {
  size_t start, top, end; /* offsets: its first byte, the first one never used, what follows it */
  void *free[CLASSES + 1];
} Zone;

enum { THINGS, STRINGS, ZONES };

/* What does not change when the image is put back. */
typedef struct Outside {
  char *image;
  bool empty; /* the image is an arena with nothing in it: there is no need to keep that */
  size_t mapped[ZONES];           /* how far each zone's memory goes: an offset */
  bool reserved;                  /* the addresses up to the end are ours, if not at fixed ones */
  uint64_t version, last_version; /* of the zones; no two states of them have the same */
} Outside;

struct Arena {
  Zone zones[ZONES];
  Outside outside; /* not part of the image: see arena_restore */
};

/* The class of a size, and in *rounded what a block of it takes. */
static unsigned class_of (size_t n, size_t *rounded) {
  unsigned shift;
  size_t half;
  if (n <= SMALL) {
    *rounded = (n + 15) & ~(size_t)15;
    return (unsigned)(*rounded / 16);
  }
  shift = 63 - (unsigned)__builtin_clzll(n - 1); /* 2^shift <= n-1 < 2^(shift+1) */
  half = (size_t)3 << (shift - 1);
  if (n <= half) {
    *rounded = half;
    return SMALL_CLASSES + 2 * (shift - 10) + 1;
  }
  *rounded = (size_t)2 << shift;
  return SMALL_CLASSES + 2 * (shift - 10) + 2;
}

static void *take_free (Zone *z, unsigned class) {
  void *block = z->free[class];
  if (block != NULL) memcpy(&z->free[class], block, sizeof(void *));
  return block;
}

static void give (Zone *z, unsigned class, void *block) {
  memcpy(block, &z->free[class], sizeof(void *));
  z->free[class] = block;
}

/* What a block of the class takes. */
static size_t size_of (unsigned class) {
  unsigned step = class - SMALL_CLASSES - 1;
  if (class <= SMALL_CLASSES) return (size_t) class * 16;
  return step % 2 == 0 ? (size_t)3 << (9 + step / 2) : (size_t)2 << (10 + step / 2);
}

/* The head of a larger free block, whose rest goes to the lists; NULL: there is none. */
static void *cut_free (Zone *z, unsigned class) {
  unsigned found = class + 1, piece;
  size_t at = size_of(class);
  char *block;
  while (found <= CLASSES && z->free[found] == NULL) found++;
  if (found > CLASSES) return NULL;
  block = take_free(z, found);
  for (piece = found; at < size_of(found); at += size_of(piece)) {
    while (size_of(piece) > size_of(found) - at) piece--;
    give(z, piece, block + at);
  }
  return block;
}

static bool map (void *address, size_t length, bool reserved) {
  int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  void *p;
  if (reserved) return mprotect(address, length, PROT_READ | PROT_WRITE) == 0;
  p = mmap(address, length, PROT_READ | PROT_WRITE, flags | MAP_FIXED_NOREPLACE, -1, 0);
  if (p != address && p != MAP_FAILED) munmap(p, length); /* a kernel that does not know the flag */
  return p == address;
}

/* Maps memory for a block of `rounded` bytes at the zone's top. */
static bool extend (Arena *a, const Zone *z, size_t rounded) {
  size_t *mapped = &a->outside.mapped[z - a->zones], wanted = z->top + rounded, length;
  if (rounded > z->end - z->top) return false;
  length = (wanted - *mapped + STEP - 1) / STEP * STEP;
  if (length > z->end - *mapped) length = z->end - *mapped;
  if (!map((char *)a + *mapped, length, a->outside.reserved)) return false;
  *mapped += length;
  return true;
}

/*
** Writes to each page of a large block. The kernel does not: a read into a page that is closed
** (pages.h) would fail.
*/
static void open_pages (char *block, size_t size) {
  for (size_t at = 0; size >= TOUCHED && at < size; at += TOUCHED) {
    volatile char *p = block + at;
    char c = *p;
    *p = c;
  }
}

static void *take (Arena *a, Zone *z, unsigned class, size_t rounded) {
  void *block = take_free(z, class);
  if (block == NULL && a->outside.image == NULL && !a->outside.empty) block = cut_free(z, class);
  if (block != NULL) {
    open_pages(block, rounded);
    return block;
  }
  if (rounded > a->outside.mapped[z - a->zones] - z->top && !extend(a, z, rounded))
    return cut_free(z, class);
  block = (char *)a + z->top;
  z->top += rounded;
  return block;
}

static void change (Arena *a) { a->outside.version = ++a->outside.last_version; }

static Zone *zone_of (Arena *a, const void *block) {
  return &a->zones[(size_t)((const char *)block - (const char *)a) >= a->zones[STRINGS].start
                       ? STRINGS
                       : THINGS];
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
  change(a);
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

/* The first step of an arena's memory, at `address` or anywhere, with the addresses behind it. */
static Arena *map_first (void *address, size_t reserve, bool *reserved) {
  void *p;
  *reserved = address == NULL || !map(address, STEP, false);
  if (!*reserved) return address;
  p = mmap(NULL, reserve, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (p == MAP_FAILED) return NULL;
  if (map(p, STEP, true)) return p;
  munmap(p, reserve);
  return NULL;
}

Arena *arena_new (void *address, size_t reserve, bool in_pages) {
  size_t unit = in_pages ? 4096 : 64, start = (sizeof(Arena) + unit - 1) & ~(unit - 1);
  size_t middle = (reserve / 2) & ~(size_t)4095;
  bool reserved;
  Arena *a = map_first(address, reserve, &reserved);
  if (a == NULL) return NULL;
  a->zones[THINGS] = (Zone){.start = start, .top = start, .end = middle};
  a->zones[STRINGS] = (Zone){.start = middle, .top = middle, .end = reserve};
  a->outside = (Outside){.mapped = {STEP, middle}, .reserved = reserved};
  return a;
}

void arena_delete (Arena *a) {
  Outside o;
  size_t middle, end;
  if (a == NULL) return;
  o = a->outside;
  middle = a->zones[STRINGS].start;
  end = a->zones[STRINGS].end;
  free(o.image);
  if (o.image != NULL) unwatch(a, sizeof *a);
  if (!o.reserved && o.mapped[STRINGS] > middle)
    munmap((char *)a + middle, o.mapped[STRINGS] - middle);
  munmap(a, o.reserved ? end : o.mapped[THINGS]);
}

/*
** The image: the arena from its start to the top of the things, then the strings.
*/

bool arena_keep_image (Arena *a) {
  size_t things = a->zones[THINGS].top, strings = a->zones[STRINGS].top - a->zones[STRINGS].start;
  char *image = malloc(things + strings);
  if (image == NULL) return false;
  a->outside.image = image;
  watch(a, sizeof *a);
  memcpy(image, a, things);
  memcpy(image + things, (char *)a + a->zones[STRINGS].start, strings);
  return true;
}

void arena_keep_empty (Arena *a) { a->outside.empty = true; }

void arena_clear (char *from, char *to) {
  char *page = (char *)(((uintptr_t)from + 4095) & ~(uintptr_t)4095);
  if (to <= from) return;
#if defined(__SANITIZE_ADDRESS__)
  __asan_unpoison_memory_region(from, (size_t)(to - from)); /* blocks of sim_memory.c */
#endif
  if (to <= page + TRIM) memset(from, 0, (size_t)(to - from));
  else {
    memset(from, 0, (size_t)(page - from));
    madvise(page, ((size_t)(to - page) + 4095) & ~(size_t)4095, MADV_DONTNEED);
  }
}

/* Clears what lies above the top that the zone has again. */
static void clear (Arena *a, const Zone *z, size_t used) {
  arena_clear((char *)a + z->top, (char *)a + used);
}

static void restore_empty (Arena *a) {
  for (int i = 0; i < ZONES; i++) {
    Zone *z = &a->zones[i];
    size_t used = z->top;
    if (used == z->start) continue; /* nothing has ever been in it */
    *z = (Zone){.start = z->start, .top = z->start, .end = z->end};
    clear(a, z, used);
  }
}

static void restore_image (Arena *a) {
  size_t things = a->zones[THINGS].top, strings = a->zones[STRINGS].top;
  Outside outside = a->outside;
  const char *image = outside.image;
  const Zone *z = ((const Arena *)(const void *)image)->zones;
  memcpy(a, image, z[THINGS].top);
  memcpy((char *)a + z[STRINGS].start, image + z[THINGS].top, z[STRINGS].top - z[STRINGS].start);
  a->outside = outside;
  clear(a, &a->zones[THINGS], things);
  clear(a, &a->zones[STRINGS], strings);
}

void arena_restore (Arena *a) {
  change(a);
  if (a->outside.empty) restore_empty(a);
  else restore_image(a);
}

uint64_t arena_version (const Arena *a) { return a->outside.version; }
void arena_set_version (Arena *a, uint64_t version) { a->outside.version = version; }

void arena_stretches (Arena *a, ArenaStretch s[ARENA_STRETCHES]) {
  s[0] = (ArenaStretch){(char *)a, offsetof(Arena, outside)};
  for (int i = 0; i < ZONES; i++) {
    const Zone *z = &a->zones[i];
    s[1 + i] = (ArenaStretch){(char *)a + z->start, z->top - z->start};
  }
}
