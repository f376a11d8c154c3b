/*
** heap_image.c - copies of a heap that has not left its home: HeapImage in heap.h.
*/
#include <stdlib.h>
#include <string.h>

#include "state/private.h"

struct HeapImage {
  Heap heap; /* as it was */
  size_t size;
  size_t count;     /* of addresses */
  uint16_t *places; /* where there are addresses, in words */
  uintptr_t words[];
};

/* What building has left behind may serve any size: the longer free blocks become ranges. */
static void gather (Heap *h) {
  for (unsigned class = FINE_CLASSES + 1; class <= CLASSES; class ++)
    while (h->free[class] != NULL) {
      Range *r = h->free[class];
      h->free[class] = *(void **)r;
      r->size = heap_class_size(class);
      r->next = h->ranges;
      h->ranges = r;
    }
}

/*
** How many bytes of the home have ever been used, with the header of the last range;
** 0: it is full.
*/
static size_t used_by (const Heap *h) {
  const Range *r = h->ranges;
  if (h->more != NULL || r == NULL) return 0;
  while (r->next != NULL) r = r->next;
  return (const char *)r + r->size == h->home + HOME ? (size_t)((const char *)(r + 1) - h->home)
                                                     : 0;
}

bool heap_holds (const Heap *h, const void *p) { return heap_at_home(h, p); }

HeapImage *heap_image (Heap *h) {
  size_t size = used_by(h), words = size / sizeof(uintptr_t);
  HeapImage *image = size > 0 ? malloc(sizeof *image + size + words * sizeof(uint16_t)) : NULL;
  if (image == NULL) return NULL;
  gather(h);
  image->heap = *h;
  image->size = size;
  image->count = 0;
  image->places = (uint16_t *)(image->words + words);
  memcpy(image->words, h->home, size);
  for (size_t i = 0; i < words; i++)
    if (heap_at_home(h, (void *)image->words[i])) image->places[image->count++] = (uint16_t)i;
  return image;
}

lua_State *heap_copy (const HeapImage *image, lua_State *original) {
  Heap *h = heap_home_take();
  uintptr_t *words, offset;
  lua_State *L;
  if (h == NULL) return NULL;
  words = (uintptr_t *)h->home;
  offset = (uintptr_t)h->home - (uintptr_t)image->heap.home;
  memcpy(words, image->words, image->size);
  for (size_t i = 0; i < image->count; i++) words[image->places[i]] += offset;
  h->begun = true;
  h->ranges = (Range *)((char *)image->heap.ranges + offset);
  h->more = NULL;
  for (unsigned class = 0; class <= CLASSES; class ++) {
    char *block = image->heap.free[class];
    h->free[class] = block != NULL ? block + offset : NULL;
  }
  L = (lua_State *)((char *)original + offset);
  lua_setallocf(L, heap_alloc, h);
  return L;
}
