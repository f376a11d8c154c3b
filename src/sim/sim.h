/*
** sim.h - a simulated world: one run of it, from the first thread to the last.
**
**     SimOptions options = { .policy = &policy_seeded, .seed = 42 };
**     SimReport report;
**     if (sim_run(&options, body, ud, &report)) { … sim_report_free(&report); }
**
** The run happens on the caller's OS thread; the threads of the world are
** fibres. When the run is over, however it ended, nothing of it is left: fibres
** that still stood somewhere are abandoned without unwinding (a pcall would
** catch that), and all objects and messages of the world are freed.
*/
#ifndef SIM_SIM_H
#define SIM_SIM_H

#include <stdatomic.h>

#include "sim/schedule.h"
#include "thread/thread.h"

/* Which thread runs next: see policy.h. */
typedef struct SimPolicy SimPolicy;
extern const SimPolicy policy_round_robin, policy_seeded, policy_replay;

typedef enum SimVerdict {
  SIM_DONE,
  SIM_EXIT,
  SIM_DEADLOCK,
  SIM_LIVELOCK,
  SIM_CANNOT_FOLLOW,
  SIM_NO_MEMORY,
  SIM_BROKEN /* an invariant does not hold; text says which */
} SimVerdict;

typedef struct SimOptions {
  const SimPolicy *policy;
  uint64_t seed;            /* for policy_seeded */
  const Schedule *schedule; /* for policy_replay */
  bool capture;             /* keep what is printed for the report instead of writing it */
  bool tidy;        /* close the states of ended threads: slower, frees their objects at once */
  bool outputs;     /* under a search: a thread is held in front of a print too */
  bool silent;      /* no warnings of circles */
  bool record;      /* into report.recorder */
  bool races;       /* tells races on stderr; see observe/race.h */
  bool interactive; /* somebody is at a prompt: what would end the run interrupts the main thread */
  long operations;  /* livelock after so many; 0: the default */
  const atomic_bool
      *hurry; /* under a search: once it is set, loops are given up at once; NULL: never */
} SimOptions;

typedef struct SimReport {
  SimVerdict verdict;
  int status;         /* what body returned, where it did; SIM_EXIT: the code */
  int errors_untaken; /* errors of threads that no result() has taken */
  char *first_error;  /* what was printed of the first of them; NULL: nothing */
  bool closed;        /* nothing outside the world was asked */
  long steps;
  Nanos elapsed;
  Schedule schedule; /* what was run */
  char *output;      /* captured, not terminated */
  size_t output_length;
  struct Recorder *recorder; /* what has been recorded, or NULL */
  char *text; /* deadlock, livelock: the report; cannot follow: why; done: a remark. NULL: none */
} SimReport;

/*
** Runs body(L, ud) as the main thread of a new world, joins its threads, and
** fills *report. False: no world could be made (memory, or too many alive).
*/
bool sim_run (const SimOptions *options, int (*body)(lua_State *L, void *ud), void *ud,
              SimReport *report);
void sim_report_free (SimReport *report);

extern const Driver sim_driver;

/* Whether the running thread belongs to a simulated world. */
bool sim_inside (void);
/*
** Whether what the running thread does is no operation from now on; as it was
** before. For what depends on the keys that are typed, and must not wait. False
** outside of a simulated world.
*/
bool sim_hush (bool on);
/* Notes that the world has been asked something outside of it. */
void sim_opened (void);
/* Notes that it has a library in C, whose memory lies elsewhere. */
void sim_note_library (void);
/*
** A file that has just been opened, at `index`, is closed with the world at the latest;
** other values are not. [0, 0, -]
*/
void sim_note_file (lua_State *L, int index, bool is_pipe);

/*
** __invariant(name, fn): fn is called before each operation of this world, and must
** give something true.
*/
int sim_invariant (lua_State *L);

/*
** __sometimes(name, condition) in a simulated world; __sometimes() returns the names of those
** that have not held in any run that this thread has simulated since it was called last.
*/
int sim_sometimes (lua_State *L);

/* simulate(fn [, opts]) */
int simulate (lua_State *L);

#endif
