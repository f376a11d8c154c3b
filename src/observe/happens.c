/*
** happens.c - vector clocks (see happens.h).
**
** All that changes lies in one array of words, so that a search can go back: with
** `undo` each change is noted with what stood there before. A place, found by hash,
** is an offset into it; it stays, and is all zero where it has not been used yet.
**
** The last write of a place and, as long as each read knows of the one before, the
** last read are kept; reads that do not, get a list with one for each thread
** (Flanagan and Freund, FastTrack, PLDI 2009).
*/
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "observe/happens.h"

enum { SORT_GIVEN, SORT_BACK, SORT_DATA }; /* of a place */
enum {                                     /* the words of a SORT_DATA; threads count from 1 */
       WRITER,
       WRITE_TIME,
       WRITE_TAG,
       READER,
       READ_TIME,
       READ_TAG,
       READERS, /* offset of a list of { time, tag }, used where READER is LISTED; 0: none */
       DATA_WORDS
};

#define LISTED UINT32_MAX

typedef struct Place {
  uint64_t object, part;
  uint32_t sort, at;
} Place;

typedef struct Change {
  uint32_t at, old;
} Change;

struct Happens {
  int width, threads;
  bool undo, must, incomplete;
  ClashFound found;
  void *ud;
  uint32_t *words;
  size_t used, capacity;
  Place *places;
  size_t place_count, place_capacity;
  uint32_t *index; /* number + 1, or 0 */
  size_t index_size;
  Change *changes;
  size_t change_count, change_capacity;
};

#define ENDED(h) \
  ((uint32_t)(h)->width * (uint32_t)(h)->width) /* the clock of all that have ended */

static bool grow (Happens *h, void *list, size_t *capacity, size_t wanted, size_t size) {
  bool good = grow_list(list, capacity, wanted, size);
  h->incomplete = h->incomplete || !good;
  return good;
}

static void set (Happens *h, uint32_t at, uint32_t value) {
  if (h->words[at] == value) return;
  if (h->undo) {
    if (!grow(h, &h->changes, &h->change_capacity, h->change_count + 1, sizeof *h->changes)) return;
    h->changes[h->change_count++] = (Change){at, h->words[at]};
  }
  h->words[at] = value;
}

/* New words, all zero; 0: no memory. */
static uint32_t add_words (Happens *h, size_t n) {
  size_t at = h->used;
  if (at + n > UINT32_MAX || !grow(h, &h->words, &h->capacity, at + n, sizeof *h->words)) {
    h->incomplete = true;
    return 0;
  }
  memset(h->words + at, 0, n * sizeof *h->words);
  h->used += n;
  return (uint32_t)at;
}

static uint32_t row (const Happens *h, int thread) { return (uint32_t)(thread * h->width); }

Happens *happens_new (int width, bool undo, bool must, ClashFound found, void *ud) {
  Happens *h = calloc(1, sizeof *h);
  if (h == NULL) return NULL;
  *h = (Happens){.width = width, .undo = undo, .must = must, .found = found, .ud = ud};
  add_words(h, (size_t)width * (size_t)(width + 1));
  if (h->incomplete) {
    happens_free(h);
    return NULL;
  }
  for (int t = 0; t < width; t++) h->words[row(h, t) + (uint32_t)t] = 1;
  return h;
}

void happens_free (Happens *h) {
  if (h == NULL) return;
  free(h->words);
  free(h->places);
  free(h->index);
  free(h->changes);
  free(h);
}

bool happens_is_incomplete (const Happens *h) { return h->incomplete; }

void happens_clear (Happens *h) {
  memset(h->words, 0, h->used * sizeof *h->words);
  h->change_count = 0;
  for (int t = 0; t < h->width; t++) h->words[row(h, t) + (uint32_t)t] = 1;
}

size_t happens_mark (const Happens *h) { return h->change_count; }

void happens_go_back (Happens *h, size_t mark) {
  while (h->change_count > mark) {
    const Change *c = &h->changes[--h->change_count];
    h->words[c->at] = c->old;
  }
}

/*
** Places.
*/

static size_t slot_of (const Happens *h, uint64_t object, uint64_t part, uint32_t sort) {
  uint64_t x = (object * 0x9e3779b97f4a7c15u) ^ (part + sort) * 0xff51afd7ed558ccdu;
  size_t i = (size_t)(x ^ (x >> 32)) & (h->index_size - 1);
  for (; h->index[i] != 0; i = (i + 1) & (h->index_size - 1)) {
    const Place *p = &h->places[h->index[i] - 1];
    if (p->object == object && p->part == part && p->sort == sort) break;
  }
  return i;
}

static bool grow_index (Happens *h) {
  size_t size = h->index_size > 0 ? 2 * h->index_size : 64;
  uint32_t *index;
  if (2 * (h->place_count + 1) <= h->index_size) return true;
  index = calloc(size, sizeof *index);
  if (index == NULL) {
    h->incomplete = true;
    return false;
  }
  free(h->index);
  h->index = index;
  h->index_size = size;
  for (size_t i = 0; i < h->place_count; i++) {
    const Place *p = &h->places[i];
    index[slot_of(h, p->object, p->part, p->sort)] = (uint32_t)i + 1;
  }
  return true;
}

/* The offset of a place, made where it is new and `make`; 0: none. */
static uint32_t find (Happens *h, uint64_t object, uint64_t part, uint32_t sort, bool make) {
  size_t i;
  uint32_t at;
  if (!grow_index(h)) return 0;
  i = slot_of(h, object, part, sort);
  if (h->index[i] != 0) return h->places[h->index[i] - 1].at;
  if (!make || !grow(h, &h->places, &h->place_capacity, h->place_count + 1, sizeof *h->places))
    return 0;
  at = add_words(h, sort == SORT_DATA ? DATA_WORDS : (size_t)h->width);
  if (at == 0) return 0;
  h->places[h->place_count++] = (Place){object, part, sort, at};
  h->index[i] = (uint32_t)h->place_count;
  return at;
}

/*
** Clocks.
*/

static void know (Happens *h, int thread) {
  if (thread >= h->threads) h->threads = thread + 1;
}

static void join (Happens *h, uint32_t into, uint32_t from) {
  for (uint32_t i = 0; i < (uint32_t)h->threads; i++)
    if (h->words[from + i] > h->words[into + i]) set(h, into + i, h->words[from + i]);
}

/* What the thread does from now on is not what others have just learnt. */
static void pass_time (Happens *h, int thread) {
  uint32_t at = row(h, thread) + (uint32_t)thread;
  set(h, at, h->words[at] + 1);
}

static void give (Happens *h, int thread, uint64_t object, uint64_t part, uint32_t sort) {
  uint32_t at = find(h, object, part, sort, true);
  if (at != 0) join(h, at, row(h, thread));
}

static void take (Happens *h, int thread, uint64_t object, uint64_t part, uint32_t sort) {
  uint32_t at = find(h, object, part, sort, false);
  if (at != 0) join(h, row(h, thread), at);
}

/* What is done to an Atomic is announced in the words of a Shared, without a key. */
unsigned happens_order (bool must, OpKind kind, uint64_t part) {
  unsigned order = op_info[kind].order;
  if (kind == OP_READ && part == 0) return ORDER_TAKES;
  if (kind == OP_WRITE && part == 0) return ORDER_GIVES | ORDER_TAKES;
  if (kind == OP_READ) return ORDER_TAKES; /* of what sync.update has left there */
  return must && (order & ORDER_LOCK) ? 0 : order;
}

void happens_edge (Happens *h, int from, int to) {
  know(h, from);
  know(h, to);
  join(h, row(h, to), row(h, from));
  pass_time(h, from);
}

void happens_gives (Happens *h, int thread, OpKind kind, uint64_t object, uint64_t part) {
  unsigned order = happens_order(h->must, kind, part);
  know(h, thread);
  if (order & ORDER_GIVES) give(h, thread, object, part, SORT_GIVEN);
  if (order & ORDER_GIVES_BACK) give(h, thread, object, part, SORT_BACK);
  if (kind == OP_END) join(h, ENDED(h), row(h, thread));
  if (order & (ORDER_GIVES | ORDER_GIVES_BACK)) pass_time(h, thread);
}

void happens_takes (Happens *h, int thread, OpKind kind, uint64_t object, uint64_t part) {
  unsigned order = happens_order(h->must, kind, part);
  know(h, thread);
  if (order & ORDER_TAKES) take(h, thread, object, part, SORT_GIVEN);
  if (order & ORDER_TAKES_BACK) take(h, thread, object, part, SORT_BACK);
  if (order & ORDER_ENDS) join(h, row(h, thread), ENDED(h));
  if (!(order & ORDER_ALL)) return;
  for (int t = 0; t < h->threads; t++) {
    join(h, row(h, thread), row(h, t));
    if (t != thread) pass_time(h, t);
  }
}

void happens_renew (Happens *h, int thread) {
  uint32_t own = happens_time(h, thread);
  for (int t = 0; t < h->width; t++) set(h, row(h, thread) + (uint32_t)t, 0);
  set(h, row(h, thread) + (uint32_t)thread, own + 1);
}

uint32_t happens_time (const Happens *h, int thread) {
  return h->words[row(h, thread) + (uint32_t)thread];
}

bool happens_knows (const Happens *h, int thread, int other, uint32_t time) {
  return thread == other || h->words[row(h, thread) + (uint32_t)other] >= time;
}

const uint32_t *happens_clock (const Happens *h, int thread) { return h->words + row(h, thread); }

/*
** Accesses.
*/

typedef struct Now {
  Happens *h;
  uint64_t object, part;
  uint32_t at; /* of the place */
  int thread;
  bool write;
  uint32_t tag;
} Now;

static void check (const Now *n, uint32_t other, uint32_t time, uint32_t tag, bool write) {
  if (other == 0 || happens_knows(n->h, n->thread, (int)other - 1, time)) return;
  n->h->found(
      n->h->ud,
      &(Clash){n->object, n->part, {(int)other - 1, n->thread}, {tag, n->tag}, {write, n->write}});
}

static void put_read (const Now *n, uint32_t list, uint32_t thread, uint32_t time, uint32_t tag) {
  set(n->h, list + 2 * thread, time);
  set(n->h, list + 2 * thread + 1, tag);
}

/* The list stays where it is once it is there: only what is in it is taken back. */
static bool begin_list (const Now *n) {
  Happens *h = n->h;
  uint32_t p = n->at, list = h->words[p + READERS];
  if (list == 0) list = add_words(h, 2 * (size_t)h->width);
  if (list == 0) return false;
  h->words[p + READERS] = list;
  put_read(n, list, h->words[p + READER] - 1, h->words[p + READ_TIME], h->words[p + READ_TAG]);
  set(h, p + READER, LISTED);
  return true;
}

static void note_read (const Now *n) {
  Happens *h = n->h;
  uint32_t p = n->at, reader = h->words[p + READER], own = (uint32_t)n->thread;
  if (reader == 0
      || (reader != LISTED
          && happens_knows(h, n->thread, (int)reader - 1, h->words[p + READ_TIME]))) {
    set(h, p + READER, own + 1);
    set(h, p + READ_TIME, happens_time(h, n->thread));
    set(h, p + READ_TAG, n->tag);
  }
  else if (reader == LISTED || begin_list(n))
    put_read(n, h->words[p + READERS], own, happens_time(h, n->thread), n->tag);
}

static void check_reads (const Now *n) {
  Happens *h = n->h;
  uint32_t p = n->at, list = h->words[p + READERS];
  if (h->words[p + READER] != LISTED)
    check(n, h->words[p + READER], h->words[p + READ_TIME], h->words[p + READ_TAG], false);
  else
    for (uint32_t t = 0; t < (uint32_t)h->threads; t++)
      if (h->words[list + 2 * t] != 0)
        check(n, t + 1, h->words[list + 2 * t], h->words[list + 2 * t + 1], false);
}

static void note_write (const Now *n) {
  Happens *h = n->h;
  uint32_t p = n->at, list = h->words[p + READERS];
  bool listed = h->words[p + READER] == LISTED;
  set(h, p + WRITER, (uint32_t)n->thread + 1);
  set(h, p + WRITE_TIME, happens_time(h, n->thread));
  set(h, p + WRITE_TAG, n->tag);
  if (n->part == PART_KEYS)
    return; /* another one may not know of this: it must meet the reads, too */
  set(h, p + READER, 0);
  for (uint32_t i = 0; listed && i < 2 * (uint32_t)h->threads; i++) set(h, list + i, 0);
}

void happens_access (Happens *h, int thread, uint64_t object, uint64_t part, bool write,
                     uint32_t tag) {
  Now n = {h, object, part, 0, thread, write, tag};
  know(h, thread);
  n.at = find(h, object, part, SORT_DATA, true);
  if (n.at == 0) return;
  if (!write || part != PART_KEYS)
    check(&n, h->words[n.at + WRITER], h->words[n.at + WRITE_TIME], h->words[n.at + WRITE_TAG],
          true);
  if (write) {
    check_reads(&n);
    note_write(&n);
  }
  else note_read(&n);
}
