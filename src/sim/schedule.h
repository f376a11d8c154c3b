/*
** schedule.h - a schedule as one line of text.
**
**   0 1x3 2 ! 1x2+1 0 .
**
** Each word is a turn: the number of a thread (0 is main, others count by their
** creation), which ran until it had to wait or ended, or which was preempted
** after x operations (and + prints after the last of them). `!`: the clock went
** on to the next deadline. What stands in brackets, `( 1x1 2x1 )`, comes again and again.
** The dot says that nothing is missing.
**
** Only preempted turns carry a count, so a schedule survives edits of the script
** that do not touch what threads do to each other.
*/
#ifndef SIM_SCHEDULE_H
#define SIM_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Turn {
  uint64_t thread;
  bool tick; /* `!`, and nothing else counts; */
  char mark; /* or '(' or ')' */
  bool preempted;
  bool pokes;               /* some thread has been interrupted in it, */
  bool makes;               /* or an object has been made, as a thread is */
  long operations, outputs; /* where preempted */
} Turn;

/* All zero: empty. */
typedef struct Schedule {
  Turn *turns;
  size_t count, capacity;
} Schedule;

/* Appends a turn; false: no memory. */
bool schedule_add (Schedule *s, Turn turn);
void schedule_clear (Schedule *s);

/* Whether it is a thread's. */
static inline bool turn_is_taken (const Turn *t) { return !t->tick && t->mark == 0; }

#define SCHEDULE_NO_MEMORY "not enough memory"

/* Reads a schedule; false: *problem says what is wrong with it, or SCHEDULE_NO_MEMORY. */
bool schedule_parse (Schedule *s, const char *text, char problem[128]);

/*
** Joins what is one turn: a thread that was preempted and went on at once. A turn without any
** operation is left out, as what it has done the thread does with its next turn; unless it
** counts that the thread stands in front of an operation: before that next turn the clock goes on,
** maybe to the deadline of this one, or a thread is interrupted, maybe this one, or both have made
** objects, which are numbered as they come. `early`: the clock may have gone on where others could
** run, and every turn counts. For schedules of worlds that are moved step by step.
*/
void schedule_join (Schedule *s, bool early);

/* The text, malloc'ed; NULL: no memory. */
char *schedule_text (const Schedule *s);

#endif
