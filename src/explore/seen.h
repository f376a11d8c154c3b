/*
** seen.h - which hashes have been met, of traces or of states, and how many of the last ones
** were new.
*/
#ifndef EXPLORE_SEEN_H
#define EXPLORE_SEEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SEEN_LAST 100

/* All zero at first. */
typedef struct Seen {
  uint64_t *slots; /* hashes; 0: free */
  size_t size, count;
  bool fresh[SEEN_LAST]; /* of the last ones, by number */
  size_t noted;
} Seen;

void seen_free (Seen *s);

/* Notes one more; true: it is new. Without memory it counts as new. */
bool seen_note (Seen *s, uint64_t hash);

/* The share of new ones among the last hundred, or as many as there have been; negative: none. */
double seen_fresh (const Seen *s);

#endif
