/*
** checkpoint.c - a world's bytes, copied and put back.
**
** All that a world consists of lies at fixed addresses: the arenas of its Lua
** states and of what its threads have made, the stacks of its fibres, the records
** of its threads and its own. While all threads stand no mutex is held, so all of
** that may be copied as it is.
**
** Pages that have not changed since an earlier checkpoint are copied once for all
** (pages.h). Small things that change all the time - stacks, records, the heads of
** arenas - are copied each time, as pieces. What a thread has not touched because it has not
** run is not put back: its `stamp` tells.
*/
#include <stdlib.h>
#include <string.h>

#include "message/message.h"
#include "sim/checkpoint.h"
#include "sim/pages.h"
#include "sim/private.h"

/* Sanitizers and valgrind keep book of each stack and would not know that it has been put back. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || defined(LUASYNC_VALGRIND) \
    || !defined(__x86_64__)
#define IS_POSSIBLE false
#else
#define IS_POSSIBLE true
#endif

typedef struct Piece {
  char *at;
  size_t length;
  SimThread *owner; /* whose alone it is, or NULL */
  Arena *arena;     /* whose allocator's state it is, or NULL, */
  uint64_t version; /* and the version of that */
} Piece;

/* The arenas of a world, and how far they reach. */
typedef struct Reach {
  Arena *arena;
  char *ends[ARENA_STRETCHES];
} Reach;

struct Checkpoint {
  Sim *world;
  Sim sim; /* the record as it was */
  SimVerdict verdict;
  int status;
  bool closed;
  char *text;
  size_t turns, output_length;
  Message *outcome; /* main's */
  Pages *pages;     /* the root's; owned by the root */
  bool begun;       /* a moment of theirs */
  SimThread *threads;
  int thread_count;
  Reach *reaches; /* room for all arenas */
  Piece *pieces;  /* their bytes one after the other in `bytes` */
  size_t piece_count, piece_capacity;
  char *bytes;
  size_t length, capacity;
};

/*
** Taking.
*/

static bool add_piece (Checkpoint *c, const void *at, size_t length, SimThread *owner) {
  if (length == 0) return true;
  if (c->piece_count == c->piece_capacity) {
    size_t capacity = c->piece_capacity == 0 ? 64 : 2 * c->piece_capacity;
    Piece *pieces = realloc(c->pieces, capacity * sizeof *pieces);
    if (pieces == NULL) return false;
    c->pieces = pieces;
    c->piece_capacity = capacity;
  }
  if (c->capacity - c->length < length) {
    size_t capacity = 2 * c->capacity + length + 16 * PAGE;
    char *bytes = realloc(c->bytes, capacity);
    if (bytes == NULL) return false;
    c->bytes = bytes;
    c->capacity = capacity;
  }
  c->pieces[c->piece_count++] = (Piece){.at = (char *)at, .length = length, .owner = owner};
  memcpy(c->bytes + c->length, at, length);
  c->length += length;
  return true;
}

/* A stretch of an arena. What shares a page with something else goes as a piece. */
static bool add_stretch (Checkpoint *c, char *at, size_t length, SimThread *owner) {
  char *end = at + length, *first = at + (PAGE - (uintptr_t)at % PAGE) % PAGE;
  if (first > end) first = end;
  return add_piece(c, at, (size_t)(first - at), owner)
         && (first == end
             || pages_keep(c->pages, first, end, owner, owner != NULL ? owner->stamp : 0));
}

/* Its head lies in front of what does not go back. */
static bool add_arena (Checkpoint *c, Arena *a, SimThread *owner) {
  ArenaStretch s[ARENA_STRETCHES];
  Piece *head;
  arena_stretches(a, s);
  if (!add_piece(c, s[0].at, s[0].length, owner)) return false;
  head = &c->pieces[c->piece_count - 1];
  head->arena = a;
  head->version = arena_version(a);
  for (int i = 1; i < ARENA_STRETCHES; i++)
    if (!add_stretch(c, s[i].at, s[i].length, owner)) return false;
  return true;
}

/*
** A thread's arena changes only while it runs. Its stack does not: there lie the
** Waiters that other threads take out of their lines.
*/
static bool add_thread (Checkpoint *c, SimThread *st) {
  char *sp = fibre_top(&st->fibre);
  if (st->made && !add_arena(c, st->memory, NULL)) return false;
  if (st->state == SIM_THREAD_FREE) return true;
  return add_arena(c, st->arena, st)
         && add_piece(c, sp, (size_t)(st->fibre.stack + FIBRE_STACK - sp), NULL);
}

static bool add_all (Checkpoint *c, Sim *sim) {
  int count = sim_pool_threads(sim->pool);
  c->threads = malloc(((size_t)count + 1) * sizeof *c->threads);
  c->reaches = malloc((2 * (size_t)count + 1) * sizeof *c->reaches);
  if (c->threads == NULL || c->reaches == NULL) return false;
  for (; c->thread_count < count; c->thread_count++) {
    SimThread *st = sim_pool_thread(sim->pool, c->thread_count);
    c->threads[c->thread_count] = *st;
    if (!add_thread(c, st)) return false;
  }
  return add_arena(c, sim_pool_memory(sim->pool), NULL) && pages_end(c->pages);
}

Checkpoint *checkpoint_take (Sim *sim) {
  bool is_root = sim->root == NULL;
  Checkpoint *c = IS_POSSIBLE && !sim->foreign ? calloc(1, sizeof *c) : NULL;
  if (c == NULL) return NULL;
  c->world = sim;
  c->pages = is_root ? pages_new() : sim->root->pages;
  if (is_root) sim->root = c;
  c->begun = c->pages != NULL && pages_begin(c->pages);
  if (!c->begun || !add_all(c, sim)) {
    checkpoint_free(c);
    return NULL;
  }
  c->sim = *sim;
  c->verdict = sim->report->verdict;
  c->status = sim->report->status;
  c->closed = sim->report->closed;
  c->text = sim->report->text;
  c->turns = sim->report->schedule.count;
  c->output_length = sim->report->output_length;
  c->outcome = sim->world.main->outcome;
  return c;
}

void checkpoint_free (Checkpoint *c) {
  if (c == NULL) return;
  if (c->begun) pages_drop(c->pages);
  if (c->world->root == c) {
    c->world->root = NULL;
    pages_free(c->pages);
  }
  free(c->threads);
  free(c->reaches);
  free(c->pieces);
  free(c->bytes);
  free(c);
}

Pages *checkpoint_pages (const Checkpoint *c) { return c->pages; }

/*
** Putting back.
*/

/* Whether a thread stands as it did, because it has not run since. */
static bool has_not_run (void *ud, const void *owner) {
  const Checkpoint *c = ud;
  const SimThread *st = owner;
  return st != NULL && st->index < c->thread_count && st->stamp == c->threads[st->index].stamp;
}

/* Whether it is as it was. */
static bool is_unchanged (const Checkpoint *c, const Piece *p) {
  return has_not_run((void *)c, p->owner)
         || (p->arena != NULL && arena_version(p->arena) == p->version);
}

static void put_back (const Piece *p, const char *bytes) {
  memcpy(p->at, bytes, p->length);
  if (p->arena != NULL) arena_set_version(p->arena, p->version);
}

static void restore_report (Sim *sim, const Checkpoint *c) {
  SimReport *r = sim->report;
  if (r->text != c->text) free(r->text);
  r->verdict = c->verdict;
  r->status = c->status;
  r->closed = c->closed;
  r->text = c->text;
  r->schedule.count = c->turns;
  r->output_length = c->output_length;
}

/* All of the record but what the watchdog looks at meanwhile. */
static void copy_record (Sim *sim, const Sim *was) {
  size_t after = offsetof(Sim, watched) + sizeof sim->watched;
  memcpy(sim, was, offsetof(Sim, watched));
  memcpy((char *)sim + after, (const char *)was + after, sizeof *sim - after);
}

/* The record; what belongs to the outside stays as it is now. */
static void restore_record (Sim *sim, const Checkpoint *c) {
  Fibre outside = sim->outside;
  unsigned signals = atomic_load(&sim->world.signals);
  size_t capacity = sim->output_capacity;
  uint64_t stamps = sim->stamps;
  bool unmarked = sim->unmarked, unwiped = sim->unwiped, ignores_copies = sim->ignores_copies;
  struct Checkpoint *root = sim->root;
  copy_record(sim, &c->sim);
  watchdog_renew(&sim->watched, atomic_load(&c->sim.watched.steps));
  sim->outside = outside;
  sim->output_capacity = capacity;
  sim->stamps = stamps;
  sim->unmarked = unmarked;
  sim->unwiped = unwiped;
  sim->ignores_copies = ignores_copies;
  sim->root = root;
  atomic_store(&sim->world.signals, signals);
}

/* The records of the threads; those that were built or used only since are as new. */
static void restore_threads (Sim *sim, const Checkpoint *c) {
  int count = sim_pool_threads(sim->pool);
  for (int i = 0; i < count; i++) {
    SimThread *st = sim_pool_thread(sim->pool, i), now = *st;
    bool was_made = i < c->thread_count && c->threads[i].made;
    if (now.made && !was_made) arena_restore(now.memory);
    if (i < c->thread_count) *st = c->threads[i];
    else {
      st->state = SIM_THREAD_FREE;
      st->thread = NULL;
    }
    st->memory = now.memory;
    st->made = was_made;
    st->used = now.used;
  }
}

static void reach_note (Reach *r, Arena *a) {
  ArenaStretch s[ARENA_STRETCHES];
  arena_stretches(a, s);
  r->arena = a;
  for (int i = 0; i < ARENA_STRETCHES; i++) r->ends[i] = s[i].at + s[i].length;
}

/*
** Clears what has been used above the tops that the arena has again. The rest of a
** page that has been put back whole is as it was.
*/
static void reach_clear (const Reach *r) {
  ArenaStretch s[ARENA_STRETCHES];
  arena_stretches(r->arena, s);
  for (int i = 0; i < ARENA_STRETCHES; i++) {
    char *end = s[i].at + s[i].length, *first = s[i].at + (PAGE - (uintptr_t)s[i].at % PAGE) % PAGE;
    if (end > first) end = first + (size_t)(end - first + (ptrdiff_t)PAGE - 1) / PAGE * PAGE;
    arena_clear(end, r->ends[i]);
  }
}

static int note_reaches (Sim *sim, const Checkpoint *c) {
  Reach *reaches = c->reaches;
  int n = 0;
  for (int i = 0; i < c->thread_count; i++) {
    SimThread *st = sim_pool_thread(sim->pool, i);
    if (c->threads[i].made) reach_note(&reaches[n++], st->memory);
    if (c->threads[i].state != SIM_THREAD_FREE && !has_not_run((void *)c, st))
      reach_note(&reaches[n++], st->arena);
  }
  reach_note(&reaches[n++], sim_pool_memory(sim->pool));
  return n;
}

void checkpoint_restore (Sim *sim, const Checkpoint *c) {
  const char *bytes = c->bytes;
  int reach_count = note_reaches(sim, c);
  if (sim->world.main->outcome != c->outcome) message_free(sim->world.main->outcome);
  sim_close_files(sim, c->sim.files);
  pages_restore(c->pages, has_not_run, (void *)c);
  for (size_t i = 0; i < c->piece_count; i++) {
    const Piece *p = &c->pieces[i];
    if (!is_unchanged(c, p)) put_back(p, bytes);
    bytes += p->length;
  }
  for (int i = 0; i < reach_count; i++) reach_clear(&c->reaches[i]);
  restore_threads(sim, c);
  restore_report(sim, c);
  restore_record(sim, c);
}
