/*
** recorder.h - what has happened in a world, kept for a timeline.
**
** The real world is recorded from recorder_start to its end; a recorder of a simulated
** world outlives it (recorder_detach), since only then the whole schedule is known.
*/
#ifndef OBSERVE_RECORDER_H
#define OBSERVE_RECORDER_H

#include "world/record.h"

#define RECORDER_EVENTS 1000000 /* how many are kept, where nothing else is said */

/*
** Records the world from now on and keeps the newest `events`, about; 0: the
** default. `whole`: the program has not begun. What had been recorded before is
** forgotten. False: no memory.
*/
bool recorder_start (World *world, lua_Integer events, bool whole);

/* Records no more, and keeps what has been recorded; false: nothing was. */
bool recorder_stop (World *world);
/* The recorder of the world, which may have been stopped; NULL: it has none. */
Recorder *recorder_of (World *world);
/* The world's recorder, which is no longer its own: recorder_free it. NULL: it has none. */
Recorder *recorder_detach (World *world);
void recorder_free (Recorder *rec); /* NULL is allowed */

/* How a run was made and how it ended; NULL and -1: not known, or none. */
typedef struct RunInfo {
  const char *world; /* "real", "virtual", "seeded", "replay" */
  const char *title, *command, *schedule;
  const char *verdict, *text; /* as in luasync.trace.recording; the text of a report */
  const char *script;         /* the path of the main script */
  lua_Integer seed;
  bool seeded;
  bool sudden; /* the program has been stopped where it stood: no lock of its may be waited for */
  int code;    /* of the process */
} RunInfo;

/*
** Writes the recording in the form that the file's ending names, in a Lua state of
** its own. Threads may run meanwhile. NULL, or what went wrong, for recorder_forget;
** with rec NULL that there was no memory for one.
*/
char *recorder_save (Recorder *rec, const char *file, const RunInfo *info);
/* Writes what there is to say of it to stderr: "waits", where time went; "lock_order", warnings. */
char *recorder_print (Recorder *rec, const char *what, const RunInfo *info);
/* What will keep the file from being written, in the same way; NULL: nothing that is known. */
char *recorder_problem (const char *file);
void recorder_forget (char *problem);
/* Pushes a problem, at most 1000 bytes of it, and forgets it. [0, +1, memory] */
void recorder_push_problem (lua_State *L, char *problem);

/* What becomes of a recording where the process ends. Borrowed until then. */
typedef struct RecorderEnd {
  const char *file;   /* NULL: none is to be written */
  bool waits;         /* the table as well */
  bool lock_order;    /* the warnings as well */
  bool only_failures; /* not after a good end */
  const RunInfo *info;
  void (*after)(void); /* called when that has been done; NULL: of a simulated world */
} RecorderEnd;

/*
** Saves the real world's recording when the process ends, in whatever way; of a
** simulated world only where a signal ends it.
*/
void recorder_at_end (const RecorderEnd *how);
/*
** For a handler of SIGINT, which has asked the program to end: the next one ends it, as it
** would without a recording; but that is saved before. The one after ends that, too.
*/
void recorder_after_break (void);
/*
** What LUASYNC_TRACE names: where a program that fails is recorded; it may be set for a
** whole test suite. NULL: nothing.
*/
const char *recorder_file_after_failure (void);
/* The simulated run has ended, and is saved by whoever ran it. */
void recorder_end_is_over (void);
/* The recorder of the simulated world that is recorded now, or NULL; of several the first. */
Recorder *recorder_simulated (void);
bool recorder_has_verdict (const Recorder *rec);
/* The world has come to this end, which its report tells. */
void recorder_verdict (World *world, const char *kind, const char *text);

/* start([opts]), stop(), save(file): of the caller's world. */
int recorder_start_for (lua_State *L);
int recorder_stop_for (lua_State *L);
int recorder_save_for (lua_State *L);

#endif
