/*
** findings.h - what a watch has found in all executions of a search: each once, with
** the simplest schedule that shows it and the number of executions that do.
*/
#ifndef EXPLORE_FINDINGS_H
#define EXPLORE_FINDINGS_H

#include "explore/watch.h"

typedef struct Finding {
  Found found;
  long executions;
  long simple; /* how simple the schedule is: the less the more so */
  char *path;  /* the thread of each step */
  int length;
} Finding;

typedef struct Findings Findings;

Findings *findings_new (void); /* NULL: no memory */
void findings_free (Findings *f);

/* Takes in what the watch says of an execution that stands at its end; not whole: it has been cut there. */
void findings_note (Findings *f, Watch *w, int length, int (*thread_at)(void *ud, int i), void *ud,
                    long simple, bool whole);
bool findings_have (const Findings *f, FoundKind kind, uint32_t object, uint32_t part);
/* Adds what is not there yet, with the thread of each step that leads to it. */
void findings_add (Findings *f, const Found *found, const char *path, int length);
int findings_count (const Findings *f);
const Finding *findings_at (const Findings *f, int i);

#endif
