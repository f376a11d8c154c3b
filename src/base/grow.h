/*
** grow.h - lists that grow by doubling.
*/
#ifndef BASE_GROW_H
#define BASE_GROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
** Makes room for `wanted` elements of `size` bytes in the list at *list, a pointer from
** malloc or NULL. False: no memory; list and capacity are as before.
*/
bool grow_list (void *list, size_t *capacity, size_t wanted, size_t size);

/* The same for lists whose length has 32 bits. */
bool grow_more32 (void *list, uint32_t *capacity, uint32_t wanted, size_t size);
static inline bool grow_list32 (void *list, uint32_t *capacity, uint32_t wanted, size_t size) {
  return wanted <= *capacity || grow_more32(list, capacity, wanted, size);
}

#endif
