/*
** orders_check.c - the number of interleavings of random histories, of which the ends are taken
** back and grow again, beside a count over all sets of their events.
*/
#include <stdio.h>
#include <stdlib.h>

#include "base/random.h"
#include "explore/history.h"

#define EVENTS 16 /* of a history at most */
#define TURNS 60  /* so often each is taken back */

int orders_check (uint64_t seed, int n);

static uint64_t drawn;

static int draw (int below) { return (int)((random_mix(++drawn) >> 33) % (unsigned)below); }

/* Footprints of a few objects, whole ones and parts, read and written; their number. */
static int draw_footprints (Footprints *f, uint32_t list[8]) {
  int objects = 1 + draw(4);
  for (int i = 0; i < 2 * objects; i++) {
    Access a = {.object = (uint32_t)(i / 2 + 5), .write = i % 2 == 1};
    a.part = draw(2) == 0 ? (uint32_t)draw(2) : PART_ALL;
    list[i] = footprint_intern(f, &a, 1, GRIPS_NONE);
  }
  return 2 * objects;
}

/* Takes some of the end back and adds other events; false: no memory. */
static bool change (History *h, int threads, const uint32_t *footprints, int count) {
  int length = draw(EVENTS + 1);
  history_truncate(h, draw(history_length(h) + 1));
  while (history_length(h) < length) {
    Ready ready = {0};
    Event e = {.thread = (uint16_t)draw(threads),
               .footprint = footprints[draw(count)],
               .silent = draw(6) == 0};
    if (!history_push(h, &e, &ready) || (draw(9) == 0 && !history_edge(h, draw(threads))))
      return false;
  }
  return true;
}

/* In how many orders the loud events can come; in *sets how many sets can have come first. */
static uint64_t count_plainly (const History *h, size_t *sets) {
  static uint64_t ways[1 << EVENTS];
  uint32_t needs[EVENTS], all;
  int loud[EVENTS], n = 0;
  for (int i = 0; i < history_length(h); i++) {
    if (history_event(h, i)->silent) continue;
    needs[n] = 0;
    for (int k = 0; k < n; k++) needs[n] |= (uint32_t)history_before(h, loud[k], i) << k;
    loud[n++] = i;
  }
  all = (1u << n) - 1;
  for (uint32_t set = 0; set <= all; set++) ways[set] = set == 0;
  *sets = 0;
  for (uint32_t set = 0; set <= all; set++) {
    if (ways[set] == 0) continue;
    ++*sets;
    for (int i = 0; i < n; i++)
      if ((set >> i & 1) == 0 && (needs[i] & ~set) == 0) ways[set | 1u << i] += ways[set];
  }
  return ways[all];
}

static bool is_right (History *h) {
  size_t most = 1000000, sets;
  bool exact = true;
  unsigned __int128 ways = history_interleavings(h, &most, &exact);
  return ways == count_plainly(h, &sets) && exact && most == sets - 1;
}

/* How many of n histories, drawn from the seed on, have another number than is said. */
int orders_check (uint64_t seed, int n) {
  int bad = 0;
  for (int i = 0; i < n; i++) {
    Footprints *f = footprint_table();
    History *h = history_new(f);
    uint32_t footprints[8];
    bool good = true;
    int threads, count;
    drawn = (seed + (uint64_t)i) << 32;
    threads = 1 + draw(6);
    count = draw_footprints(f, footprints);
    for (int k = 0; k < TURNS; k++) {
      good = change(h, threads, footprints, count) && good;
      if (draw(3) > 0) good = is_right(h) && good; /* a search does not count each of them */
    }
    bad += !good;
    history_free(h);
    footprint_table_free(f);
  }
  printf("%d histories, %d differ\n", n, bad);
  return bad != 0;
}
