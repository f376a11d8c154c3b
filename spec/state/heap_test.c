/*
** heap_test.c - blocks of heap_alloc_clean where addresses lay before: prints "clean",
** or what it finds. heap_spec.lua runs it.
*/
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "state/heap.h"

#define BLOCKS 200

/* Fills blocks of all small sizes with their own addresses and gives them back. */
static void leave_addresses (Heap *h) {
  void **blocks[BLOCKS];
  for (int i = 0; i < BLOCKS; i++) {
    size_t size = 8 * (size_t)(1 + i % 40);
    blocks[i] = heap_alloc_clean(h, NULL, 0, size);
    for (size_t k = 0; k < size / 8; k++) blocks[i][k] = blocks[i];
  }
  for (int i = 0; i < BLOCKS; i++) heap_alloc_clean(h, blocks[i], 8 * (size_t)(1 + i % 40), 0);
}

/* Whether all from `used` to the end of its word is zero. */
static int is_clean (const char *block, size_t used) {
  for (size_t i = used; i % 8 != 0; i++)
    if (block[i] != 0) return 0;
  return 1;
}

int main (void) {
  Heap *h = heap_new();
  char *state = heap_alloc_clean(h, NULL, 0, 64); /* a heap ends with its first block */
  leave_addresses(h);
  for (size_t size = 1; size < 200; size++) {
    char *block = heap_alloc_clean(h, NULL, 0, size);
    memset(block, 'x', size);
    if (!is_clean(block, size)) return printf("%zu bytes leave an old address\n", size), 1;
    block = heap_alloc_clean(h, block, size, size + 29);
    if (!is_clean(block, size)) return printf("%zu bytes grown leave one\n", size), 1;
    block = heap_alloc_clean(h, block, size + 29, (size + 1) / 2);
    if (!is_clean(block, (size + 1) / 2)) return printf("%zu bytes shrunk leave one\n", size), 1;
  }
  heap_alloc_clean(h, state, 64, 0);
  puts("clean");
  return 0;
}
