/*
** recorder.c - events as they come.
**
** Each OS thread has a track of its own and writes 32 bytes an event into the track's
** chunk, without a lock; readers see as many events as `count` says. A full chunk goes
** into a list, and when there are as many as the bound allows, the oldest of the list
** is used again: the newest events stay. A simulated world has one track, for its
** threads never run at the same time and time alone would not order their events.
**
** Objects get a number at their first event, under `mu`, which also guards the lists
** of chunks, objects and places. It is taken last of all mutexes. Everything here lies
** in memory of the C library: a simulated world does not notice.
*/
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "base/grow.h"
#include "base/source_line.h"
#include "observe/private.h"
#include "observe/recorder.h"
#include "thread/thread.h"

static pthread_key_t leaving; /* its destructor: an OS thread ends */
static _Thread_local Track *own;
static pthread_mutex_t starting = PTHREAD_MUTEX_INITIALIZER;
static _Atomic(Recorder *) simulated; /* the first one of a simulated world */

/*
** Chunks.
*/

/* The oldest full chunk, to be used again; under mu. */
static Chunk *oldest (Recorder *rec) {
  Chunk *c = rec->full;
  int count;
  if (c == NULL) return NULL;
  rec->full = c->next;
  if (rec->full == NULL) rec->last = NULL;
  count = atomic_load_explicit(&c->count, memory_order_relaxed);
  rec->lost += (uint64_t)count;
  if (count > 0 && c->events[count - 1].time > rec->cut) rec->cut = c->events[count - 1].time;
  return c;
}

/* An empty chunk for the track instead of its full one; NULL: no memory. */
static Chunk *next_chunk (Recorder *rec, Track *t) {
  Chunk *c;
  pthread_mutex_lock(&rec->mu);
  if (t->chunk != NULL) {
    if (rec->last != NULL) rec->last->next = t->chunk;
    else rec->full = t->chunk;
    rec->last = t->chunk;
    t->chunk->next = NULL;
  }
  c = rec->chunks >= rec->most ? oldest(rec) : NULL;
  if (c == NULL && (c = malloc(sizeof *c)) != NULL) rec->chunks++;
  if (c == NULL) c = oldest(rec);
  if (c != NULL) {
    c->next = NULL;
    c->text_used = 0;
    atomic_store_explicit(&c->count, 0, memory_order_relaxed);
  }
  t->chunk = c;
  pthread_mutex_unlock(&rec->mu);
  return c;
}

/*
** Tracks.
*/

static void leave (void *track) {
  Track *t = track;
  Recorder *rec = t->recorder;
  pthread_mutex_lock(&rec->mu);
  t->idle = true;
  pthread_mutex_unlock(&rec->mu);
}

static Track *new_track (Recorder *rec) {
  Track *t;
  pthread_mutex_lock(&rec->mu);
  for (t = rec->tracks; t != NULL && !t->idle;) t = t->next;
  if (t == NULL && (t = calloc(1, sizeof *t)) != NULL) {
    t->recorder = rec;
    t->next = rec->tracks;
    rec->tracks = t;
  }
  if (t != NULL) t->idle = false;
  pthread_mutex_unlock(&rec->mu);
  return t;
}

static Track *track_of (Recorder *rec) {
  if (rec->single != NULL) return rec->single;
  if (own == NULL && (own = new_track(rec)) != NULL) pthread_setspecific(leaving, own);
  return own;
}

/*
** Objects and places.
*/

static uint32_t number_of (Recorder *rec, Object *o);

/* In Object.recorded: luasync's own, as the settings of its logging; what is done to it is no event. */
#define INTERNAL 0x80000000u

static bool is_internal (const Object *o) {
  return o != NULL && (atomic_load_explicit(&o->recorded, memory_order_acquire) & INTERNAL) != 0;
}

/* Notes an object that is in no event yet; 0: no memory. */
static uint32_t note_object (Recorder *rec, Object *o) {
  char buffer[64];
  const char *name = object_name(o, buffer); /* takes a thread's mutex: before mu */
  RecordedFacts facts = {0};
  uint32_t number, lock;
  if (o->kind->recorded != NULL) o->kind->recorded(o, &facts);
  if (facts.same != NULL) {
    number = number_of(rec, facts.same);
    atomic_store_explicit(&o->recorded, number, memory_order_release);
    return number;
  }
  lock = facts.lock != NULL ? number_of(rec, facts.lock) : 0;
  pthread_mutex_lock(&rec->mu);
  number = atomic_load_explicit(&o->recorded, memory_order_relaxed);
  if (number == 0
      && grow_list32(&rec->known, &rec->known_capacity, rec->known_count + 1, sizeof *rec->known)) {
    Known *k = &rec->known[rec->known_count];
    *k = (Known){.kind = facts.shown != NULL ? facts.shown->name : o->kind->name,
                 .name = strdup(name),
                 .facts = facts,
                 .lock = lock};
    if (o->kind == &thread_kind || o->kind->base == &thread_kind) {
      k->serial = ((Thread *)o)->serial;
      k->daemon = ((Thread *)o)->daemon;
    }
    number = ++rec->known_count;
    if (strncmp(name, "luasync.", 8) == 0) number |= INTERNAL;
    atomic_store_explicit(&o->recorded, number, memory_order_release);
  }
  pthread_mutex_unlock(&rec->mu);
  return number & ~INTERNAL;
}

static uint32_t number_of (Recorder *rec, Object *o) {
  uint32_t number;
  if (o == NULL) return 0;
  number = atomic_load_explicit(&o->recorded, memory_order_acquire);
  return number != 0 ? number & ~INTERNAL : note_object(rec, o);
}

/* Keeps the name that the thread has now. */
static void keep_name (Recorder *rec, Thread *t) {
  uint32_t number = atomic_load(&t->object.recorded) & ~INTERNAL;
  char name[64], *copy;
  if (number == 0) return;
  thread_copy_name(t, name);
  pthread_mutex_lock(&rec->mu);
  copy = number <= rec->known_count ? strdup(name) : NULL;
  if (copy != NULL) {
    free(rec->known[number - 1].name);
    rec->known[number - 1].name = copy;
  }
  pthread_mutex_unlock(&rec->mu);
}

void recorder_look (Recorder *rec) {
  World *world = rec->world;
  if (world == NULL || atomic_load(&world->recorder) != rec) return;
  pthread_mutex_lock(&world->mu);
  for (Thread *t = world->threads; t != NULL; t = t->next) keep_name(rec, t);
  pthread_mutex_unlock(&world->mu);
  rec->now = world_now(world);
}

/* The number of a line of a file; 0: too many. */
static uint16_t note_place (Recorder *rec, const char *source, int line) {
  uint32_t i;
  pthread_mutex_lock(&rec->mu);
  for (i = 0; i < rec->place_count; i++)
    if (rec->places[i].line == line && strcmp(rec->places[i].source, source) == 0) break;
  if (i == rec->place_count) {
    char *copy = i < UINT16_MAX - 1 ? strdup(source) : NULL;
    if (copy != NULL && grow_list32(&rec->places, &rec->place_capacity, i + 1, sizeof *rec->places))
      rec->places[rec->place_count++] = (Place){copy, line};
    else {
      free(copy);
      i = UINT32_MAX;
    }
  }
  pthread_mutex_unlock(&rec->mu);
  return (uint16_t)(i + 1);
}

/* The line of the innermost function of a file, else of any Lua function. */
static uint16_t find_place (Recorder *rec, lua_State *L, bool *innermost) {
  lua_Debug ar, other;
  bool found = false;
  *innermost = true;
  for (int level = 0; lua_getstack(L, level, &ar); level++) {
    lua_getinfo(L, "Sl", &ar);
    if (ar.currentline <= 0) continue;
    if (*ar.source == '@') return note_place(rec, ar.source, ar.currentline);
    if (!found) other = ar;
    found = true;
    *innermost = false;
  }
  return found ? note_place(rec, other.source, other.currentline) : 0;
}

/*
** Most events come from a few instructions again and again. The line is compared as
** well, and the thread: another chunk or state may have come to lie there.
*/
static uint16_t place_here (Recorder *rec, Track *t, Thread *self) {
  lua_State *L = self->running;
  int line = 0;
  const void *instruction;
  PlaceCache *cached;
  uint16_t place;
  bool innermost;
  if (L == NULL) return 0;
  instruction = source_line_instruction(L, &line);
  cached = &t->places[((uintptr_t)instruction >> 2) % PLACES_CACHED];
  if (instruction != NULL && cached->instruction == instruction && cached->line == line
      && cached->thread == self->serial)
    return cached->place;
  place = find_place(rec, L, &innermost);
  if (innermost && instruction != NULL)
    *cached = (PlaceCache){instruction, self->serial, line, place};
  return place;
}

/*
** Events.
*/

static void put_text (Chunk *c, const char *text, size_t length) {
  uint16_t size = (uint16_t)length;
  memcpy(c->text + c->text_used, &size, sizeof size);
  memcpy(c->text + c->text_used + sizeof size, text, length);
  c->text_used += (uint32_t)(sizeof size + length);
}

static int32_t clip (int64_t n) {
  return n > INT32_MAX ? INT32_MAX : n < INT32_MIN ? INT32_MIN : (int32_t)n;
}

static uint16_t place_of (Recorder *rec, Track *t, const Record *r) {
  switch (r->kind) {
    case RECORD_TURN:
    case RECORD_CLOCK:
    case RECORD_HANDED:
    case RECORD_MOVED: return 0; /* the waiter's place, which is known from its wait */
    default: return thread_self != NULL ? place_here(rec, t, thread_self) : 0;
  }
}

static void take (Recorder *rec, const Record *r) {
  Track *t = track_of(rec);
  Thread *who = r->who != NULL ? r->who : thread_self;
  size_t length = r->length < TEXT_MOST ? r->length : TEXT_MOST;
  Nanos time = r->time > 0 ? r->time : world_now(rec->world);
  uint32_t object;
  Chunk *c;
  Event *e;
  int n;
  if (t == NULL) return;
  object = number_of(rec, r->object);
  if (r->kind == RECORD_OP && is_internal(r->object)) return;
  c = t->chunk;
  n = c != NULL ? atomic_load_explicit(&c->count, memory_order_relaxed) : CHUNK_EVENTS;
  if (n == CHUNK_EVENTS || (length > 0 && c->text_used + length + 2 > CHUNK_TEXT)) {
    c = next_chunk(rec, t);
    n = 0;
    if (c == NULL) return;
  }
  if (time < t->time) time = t->time;
  t->time = time;
  e = &c->events[n];
  e->time = time;
  e->thread = r->kind == RECORD_CLOCK || who == NULL ? 0 : number_of(rec, &who->object);
  e->object = object;
  e->a = r->other != NULL ? (int64_t)number_of(rec, &r->other->object) : r->a;
  e->b = clip(r->b);
  e->place = place_of(rec, t, r);
  e->kind = (uint8_t)(r->kind | (length > 0 ? EVENT_HAS_TEXT : 0));
  e->op = (uint8_t)r->op;
  if (length > 0) put_text(c, r->text, length);
  atomic_store_explicit(&c->count, n + 1, memory_order_release);
  if (r->kind == RECORD_END && who != NULL) keep_name(rec, who);
}

/*
** Beginning and end.
*/

static void prepare (void) {
  pthread_key_create(&leaving, leave);
  record_taker = take;
}

static Recorder *make (World *world) {
  Recorder *rec = calloc(1, sizeof *rec), *none = NULL;
  if (rec == NULL) return NULL;
  rec->world = world;
  pthread_mutex_init(&rec->mu, NULL);
  if (world_is_parallel(world)) return rec;
  rec->single = new_track(rec);
  if (rec->single != NULL) {
    atomic_compare_exchange_strong(&simulated, &none, rec);
    return rec;
  }
  free(rec);
  return NULL;
}

/*
** Those that live already: later on an event that names one may come while a mutex is
** held, and to ask for its name takes its own.
*/
static void note_threads (Recorder *rec) {
  World *world = rec->world;
  pthread_mutex_lock(&world->mu);
  for (Thread *t = world->threads; t != NULL; t = t->next) number_of(rec, &t->object);
  pthread_mutex_unlock(&world->mu);
}

/* Drops what a simulated world has recorded: its clock need not have gone on since. */
static void forget (Recorder *rec) {
  Chunk *c = rec->single->chunk, *full;
  pthread_mutex_lock(&rec->mu);
  while ((full = oldest(rec)) != NULL) {
    rec->chunks--;
    free(full);
  }
  if (c != NULL) {
    c->text_used = 0;
    atomic_store(&c->count, 0);
  }
  pthread_mutex_unlock(&rec->mu);
}

/* A recorder stays with its world: threads may be writing into it. */
bool recorder_start (World *world, lua_Integer events, bool whole) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  Recorder *rec;
  bool goes_on;
  pthread_once(&once, prepare);
  pthread_mutex_lock(&starting);
  rec = recorder_of(world);
  goes_on = atomic_load(&world->recorder) != NULL;
  if (rec != NULL) {
    pthread_mutex_lock(&rec->mu);
    rec->whole = false;
    pthread_mutex_unlock(&rec->mu);
    if (rec->single != NULL) forget(rec);
  }
  else if ((rec = make(world)) != NULL) rec->whole = whole;
  if (rec != NULL && !goes_on) atomic_fetch_add(&worlds_recorded, 1);
  if (rec != NULL) {
    if (events <= 0) events = RECORDER_EVENTS;
    if (events > INT_MAX) events = INT_MAX;
    pthread_mutex_lock(&rec->mu);
    rec->most = (int)(events / CHUNK_EVENTS) + 2;
    rec->since = world_now(world);
    rec->lost = 0;
    rec->cut = -1;
    rec->epoch = (double)world->driver->time(world) / NANOS;
    pthread_mutex_unlock(&rec->mu);
    note_threads(rec);
    atomic_store(&world->rests, NULL);
    atomic_store_explicit(&world->recorder, rec, memory_order_release);
  }
  pthread_mutex_unlock(&starting);
  return rec != NULL;
}

Recorder *recorder_of (World *world) {
  Recorder *rec = atomic_load(&world->recorder);
  return rec != NULL ? rec : atomic_load(&world->rests);
}

bool recorder_stop (World *world) {
  Recorder *rec;
  pthread_mutex_lock(&starting);
  rec = atomic_load(&world->recorder);
  if (rec != NULL) {
    recorder_look(rec);
    atomic_store(&world->rests, rec); /* threads may still be writing into it */
    atomic_store(&world->recorder, NULL);
    atomic_fetch_sub(&worlds_recorded, 1);
  }
  pthread_mutex_unlock(&starting);
  return rec != NULL;
}

Recorder *recorder_detach (World *world) {
  Recorder *rec;
  recorder_stop(world);
  rec = atomic_exchange(&world->rests, NULL);
  if (rec != NULL) rec->world = NULL;
  return rec;
}

/* One that has ended stays the one until it is freed: it may still have to be saved. */
Recorder *recorder_simulated (void) { return atomic_load(&simulated); }

static void free_chunks (Chunk *c) {
  Chunk *next;
  for (; c != NULL; c = next) {
    next = c->next;
    free(c);
  }
}

void recorder_free (Recorder *rec) {
  Recorder *same = rec;
  Track *next;
  if (rec == NULL) return;
  atomic_compare_exchange_strong(&simulated, &same, NULL);
  free_chunks(rec->full);
  for (Track *t = rec->tracks; t != NULL; t = next) {
    next = t->next;
    free(t->chunk);
    free(t);
  }
  for (uint32_t i = 0; i < rec->known_count; i++) free(rec->known[i].name);
  for (uint32_t i = 0; i < rec->place_count; i++) free(rec->places[i].source);
  free(rec->known);
  free(rec->places);
  free(rec->text);
  pthread_mutex_destroy(&rec->mu);
  free(rec);
}
