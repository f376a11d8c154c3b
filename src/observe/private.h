/*
** private.h - what recorder.c, which takes events in, and recorder_file.c, which
** hands them out, share.
*/
#ifndef OBSERVE_PRIVATE_H
#define OBSERVE_PRIVATE_H

#include "observe/recorder.h"

#define CHUNK_EVENTS 256
#define CHUNK_TEXT 4096 /* bytes, each text with its length before it */
#define TEXT_MOST 1000  /* of one text */
#define PLACES_CACHED 64
#define EVENT_HAS_TEXT 0x80 /* in `kind`: the next text of the chunk is its own */

/* 32 bytes; objects by their number in the recording, 0: none. */
typedef struct Event {
  Nanos time; /* on the world's clock */
  int64_t a;
  uint32_t object, thread;
  int32_t b;
  uint16_t place; /* its number from 1; 0: unknown */
  uint8_t kind, op;
} Event;

typedef struct Chunk {
  struct Chunk *next; /* in the list of full ones; under mu */
  atomic_int count;   /* written by the owner after the event */
  uint32_t text_used; /* the owner's */
  Event events[CHUNK_EVENTS];
  char text[CHUNK_TEXT];
} Chunk;

typedef struct PlaceCache {
  const void *instruction;
  uint64_t thread;
  int line;
  uint16_t place;
} PlaceCache;

/* Where one OS thread writes. */
typedef struct Track {
  struct Track *next; /* under mu */
  Recorder *recorder; /* const after init */
  bool idle;          /* no OS thread has it; under mu */
  Chunk *chunk;       /* written by the owner under mu */
  Nanos time;         /* of its last event; the owner's */
  PlaceCache places[PLACES_CACHED];
} Track;

/* An object or thread that is in some event. */
typedef struct Known {
  const char *kind;
  char *name;      /* NULL: no memory */
  bool daemon;     /* a thread's */
  uint64_t serial; /* a thread's, else 0 */
  uint32_t lock;   /* a Condition's, by its number */
  RecordedFacts facts;
} Known;

typedef struct Place {
  char *source; /* as Lua has it */
  int line;
} Place;

struct Recorder {
  World *world;        /* NULL: that has ended */
  Track *single;       /* const after init; of a simulated world, else NULL */
  pthread_mutex_t mu;  /* taken last */
  Track *tracks;       /* under mu */
  Chunk *full, *last;  /* in the order in which they became full; under mu */
  int chunks, most;    /* under mu */
  uint64_t lost;       /* events that are no more; under mu */
  Nanos cut;           /* the time of the last of them; under mu */
  Nanos since;         /* what is older does not belong to the recording; under mu */
  double epoch;        /* the world's time at `since`, seconds; under mu */
  bool whole;          /* since the program has begun; under mu */
  Nanos now;           /* the world's time when it was last looked at */
  const char *verdict; /* the world's, if that has reported its own end */
  char *text;          /* the report */
  Known *known;        /* number n is known[n - 1]; under mu */
  uint32_t known_count, known_capacity;
  Place *places; /* likewise; under mu */
  uint32_t place_count, place_capacity;
};

/* Keeps the names that the threads have now, and the time, unless it has been stopped. */
void recorder_look (Recorder *rec);

#endif
