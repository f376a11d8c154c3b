/*
** world_subject.h - a simulated world as the subject of a search.
**
** The operation in front of which a thread is held becomes a footprint; its
** object's Kind.ready tells whether it can take effect; threads and objects get
** numbers that do not depend on the schedule. The clock is one more thread: its
** step is the way to the next deadline, and it can go only where nothing else can
** ("every step is quicker than any timeout"), or (early_ticks) at any moment ("any step may take
** longer than any timeout").
*/
#ifndef EXPLORE_WORLD_SUBJECT_H
#define EXPLORE_WORLD_SUBJECT_H

#include "explore/deeds.h"
#include "explore/findings.h"
#include "explore/subject.h"
#include "sim/request.h"
#include "sim/steps.h"

typedef struct WorldSubject WorldSubject;

typedef struct WorldSubjectOptions {
  SimOptions sim;
  bool snapshots;                      /* go back by checkpoints; else by running again */
  bool early_ticks;                    /* the clock may go on although a thread can run */
  int (*body)(lua_State *L, void *ud); /* of the main thread */
  void *ud;
  SimRequest *request; /* its outcome is forgotten for each run; NULL: there is none */
  const char *program; /* a script's failure is printed behind this name; or NULL */
} WorldSubjectOptions;

/* NULL: no world can be made, or no memory. */
WorldSubject *world_subject_new (const WorldSubjectOptions *options);
void world_subject_free (WorldSubject *w);

Subject world_subject_calls (WorldSubject *w);
const char *world_subject_program (const WorldSubject *w);

/* The state the world stands in, for state_graph.h; false: it has none that bytes in memory could tell. */
bool world_subject_key (void *subject, uint64_t key[2]);
/* From the next restart on states are compared: equal ones are to be equal in their bytes. */
void world_subject_wipe (WorldSubject *w);
/* What the last step did, as a number of world_subject_deeds; of the clock: DEED_NONE. */
uint32_t world_subject_deed (void *subject);
const Deeds *world_subject_deeds (const WorldSubject *w);
/*
** It has turned out that the program's steps are others than was thought: what has been
** found so far is to be forgotten. That has been done now.
*/
bool world_subject_is_another (const WorldSubject *w);
void world_subject_accept (WorldSubject *w);
/* Another search goes on: the world stands at its beginning, and may be moved from there. False: it cannot. */
bool world_subject_restart (WorldSubject *w);
/* From now on objects note where they are taken, for reports; or no longer. */
void world_subject_mark_places (WorldSubject *w, bool mark);

/* The world as it stands; its report is filled while it runs. */
Sim *world_subject_sim (WorldSubject *w);
const SimReport *world_subject_report (WorldSubject *w);

/* What is told each step, and what it has found. */
Watch *world_subject_watch (WorldSubject *w);
Findings *world_subject_findings (WorldSubject *w);

/* How often the program has been begun anew, and how many steps were done again to go back. */
long world_subject_runs (const WorldSubject *w);

/* Why the subject could not go on, or NULL. */
const char *world_subject_problem (const WorldSubject *w);

/* The thread's number in this execution's schedules; -1: it has none, as the clock. */
int world_subject_serial (const WorldSubject *w, int thread);
/* The object's number, the same in every execution. */
uint32_t world_subject_object (WorldSubject *w, const Object *o);

bool world_subject_is_early (const WorldSubject *w); /* the clock may overtake threads */
/* Whether any thread has waited for a time so far. */
bool world_subject_saw_time (const WorldSubject *w);
/* Whether some thread has a deadline that the clock could go to. */
bool world_subject_waits_for_time (WorldSubject *w);

#endif
