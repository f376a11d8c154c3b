/*
** fingerprint.c - see fingerprint.h.
**
** Pages that are watched (pages.h) count only by what they differ in from the root's
** copy. The sum for a thread's arena is kept by its stamp: the same stamp, the same bytes.
*/
#include <stdlib.h>
#include <string.h>

#include "sim/fingerprint.h"
#include "sim/pages.h"
#include "sim/private.h"

#define KEPT 1024 /* sums of arenas */

typedef struct Sum {
  uint64_t a, b;
} Sum;

/* The sum of the arena with that stamp. */
typedef struct KeptSum {
  uint64_t stamp;
  const Pages *pages;
  Sum sum;
} KeptSum;

struct Fingerprint {
  const Pages *pages; /* whose copies these are: */
  Sum *copies;        /* of the written pages, by number; those not looked at yet are 0, 0 */
  size_t copy_count;
  KeptSum kept[KEPT];
};

Fingerprint *fingerprint_new (void) { return calloc(1, sizeof(Fingerprint)); }

void fingerprint_free (Fingerprint *f) {
  if (f == NULL) return;
  free(f->copies);
  free(f);
}

/*
** Hashing: wyhash's multiplication, two independent halves.
*/

static inline uint64_t mix (uint64_t x, uint64_t y) {
  unsigned __int128 p = (unsigned __int128)x * y;
  return (uint64_t)p ^ (uint64_t)(p >> 64);
}

static void add_words (Sum *s, uint64_t x, uint64_t y) {
  s->a = mix(x ^ 0xa0761d6478bd642fu, y ^ s->a ^ 0xe7037ed1a0b428dbu);
  s->b = mix(x ^ 0x8ebc6af09c88c6e3u, y ^ s->b ^ 0x589965cc75374cc3u);
}

static void add_bytes (Sum *s, const void *bytes, size_t length) {
  const char *p = bytes;
  uint64_t w[2];
  add_words(s, (uint64_t)(uintptr_t)p, length);
  for (; length >= sizeof w; p += sizeof w, length -= sizeof w) {
    memcpy(w, p, sizeof w);
    add_words(s, w[0], w[1]);
  }
  if (length == 0) return;
  memset(w, 0, sizeof w);
  memcpy(w, p, length);
  add_words(s, w[0], w[1]);
}

static Sum sum_of (const void *bytes, size_t length, const void *address) {
  Sum s = {(uint64_t)(uintptr_t)address, 1};
  const char *p = bytes;
  uint64_t w[2];
  for (; length >= sizeof w; p += sizeof w, length -= sizeof w) {
    memcpy(w, p, sizeof w);
    add_words(&s, w[0], w[1]);
  }
  return s;
}

/*
** Pages.
*/

/* What a written page differs in from its copy. */
static Sum difference (Fingerprint *f, const Pages *pages, size_t number) {
  const char *copy, *page = pages_written_page(pages, number, &copy);
  Sum *then = &f->copies[number], now = sum_of(page, PAGE, page);
  if (then->a == 0 && then->b == 0) *then = sum_of(copy, PAGE, page);
  return (Sum){now.a - then->a, now.b - then->b};
}

static bool reserve_copies (Fingerprint *f, const Pages *pages) {
  size_t count = pages_written(pages);
  Sum *grown;
  if (f->pages != pages) f->copy_count = 0;
  f->pages = pages;
  if (count <= f->copy_count) return true;
  grown = realloc(f->copies, 2 * count * sizeof *grown);
  if (grown == NULL) return false;
  memset(grown + f->copy_count, 0, (2 * count - f->copy_count) * sizeof *grown);
  f->copies = grown;
  f->copy_count = 2 * count;
  return true;
}

/* Whole pages from `at` on; the last one as far as `end` where it is not watched. */
static void add_pages (Fingerprint *f, const Pages *pages, Sum *s, const char *at,
                       const char *end) {
  for (; at < end; at += PAGE) {
    bool is_watched;
    size_t number = pages_number(pages, at, &is_watched);
    if (!is_watched) add_bytes(s, at, (size_t)(end - at) < PAGE ? (size_t)(end - at) : PAGE);
    else if (number != SIZE_MAX) {
      Sum d = difference(f, pages, number);
      s->a += d.a;
      s->b += d.b;
    }
  }
}

static void add_arena (Fingerprint *f, const Pages *pages, Sum *s, Arena *a) {
  ArenaStretch stretch[ARENA_STRETCHES];
  arena_stretches(a, stretch);
  for (int i = 0; i < ARENA_STRETCHES; i++) {
    char *at = stretch[i].at, *end = at + stretch[i].length;
    char *first = at + (PAGE - (uintptr_t)at % PAGE) % PAGE;
    if (first > end) first = end;
    add_bytes(s, at, (size_t)(first - at));
    add_pages(f, pages, s, first, end);
  }
}

/*
** The parts of a world.
*/

static Sum arena_sum (Fingerprint *f, const Pages *pages, SimThread *st) {
  KeptSum *k = &f->kept[st->stamp % KEPT];
  if (k->stamp == st->stamp && k->pages == pages && st->stamp != 0) return k->sum;
  *k = (KeptSum){st->stamp, pages, {1, 1}};
  add_arena(f, pages, &k->sum, st->arena);
  return k->sum;
}

/* How many parked threads that could go on at the same time stand before this one. */
static uint64_t rank_of (const Sim *sim, const SimThread *st) {
  uint64_t rank = 0;
  if (st->deadline == FOREVER && !st->settling) return 0;
  for (int i = 0; i < sim->parked_count; i++)
    if (sim->parked[i]->order < st->order) rank++;
  return rank;
}

static void add_thread (Fingerprint *f, const Pages *pages, Sim *sim, Sum *s, SimThread *st) {
  char *sp = fibre_top(&st->fibre);
  Sum arena;
  add_words(s, st->state, (uint64_t)st->index);
  if (st->made) add_arena(f, pages, s, st->memory);
  if (st->state == SIM_THREAD_FREE) return;
  arena = arena_sum(f, pages, st);
  add_words(s, arena.a, arena.b);
  add_bytes(s, sp, (size_t)(st->fibre.stack + FIBRE_STACK - sp));
  add_words(s, (uint64_t)atomic_load(&st->spot.token),
            st->in_line | st->settling << 1 | st->timed_out << 2 | st->may_time_out << 3);
  if (st->state == SIM_THREAD_PARKED) add_words(s, (uint64_t)st->deadline, rank_of(sim, st));
}

bool fingerprint_take (Fingerprint *f, Sim *sim, uint64_t key[2]) {
  Sum s = {1, 2};
  const Pages *pages;
  if (sim->root == NULL || sim->files != NULL || sim->foreign) return false;
  pages = checkpoint_pages(sim->root);
  if (!reserve_copies(f, pages)) return false;
  for (int i = 0; i < sim->taken; i++) add_thread(f, pages, sim, &s, sim_pool_thread(sim->pool, i));
  add_arena(f, pages, &s, sim_pool_memory(sim->pool));
  add_bytes(&s, &sim->world, sizeof sim->world);
  add_words(&s, (uint64_t)sim->now, sim->over);
  add_words(&s, (uint64_t)sim->taken, (uint64_t)(uintptr_t)sim->invariants);
  if (sim->over) {
    const char *text = sim->report->text;
    add_words(&s, sim->report->verdict, (uint64_t)sim->report->status);
    for (; text != NULL && *text != '\0'; text++) add_words(&s, (unsigned char)*text, 1);
  }
  key[0] = s.a;
  key[1] = s.b;
  return true;
}
