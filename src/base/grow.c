/*
** grow.c - see grow.h.
*/
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"

#define FIRST 16

bool grow_list (void *list, size_t *capacity, size_t wanted, size_t size) {
  size_t n = *capacity > 0 ? *capacity : FIRST;
  void *old, *grown;
  if (wanted <= *capacity) return true;
  while (n < wanted) {
    if (n > SIZE_MAX / 2 / size) return false;
    n *= 2;
  }
  memcpy(&old, list, sizeof old); /* the list is a pointer to whatever its elements are */
  grown = realloc(old, n * size);
  if (grown == NULL) return false;
  memcpy(list, &grown, sizeof grown);
  *capacity = n;
  return true;
}

bool grow_more32 (void *list, uint32_t *capacity, uint32_t wanted, size_t size) {
  size_t n = *capacity;
  if (wanted > UINT32_MAX / 2 || !grow_list(list, &n, wanted, size)) return false;
  *capacity = (uint32_t)n;
  return true;
}
