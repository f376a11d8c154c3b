/*
** budget.c - see budget.h.
*/
#include <time.h>

#include "explore/budget.h"

#define LOOKS 8     /* calls of budget_is_past between two looks at the clock */
#define PATIENCE 10 /* a search lasts so many times its seconds at most, whatever it waits for */

/* Of the processor: what else the machine does takes nothing off a budget. */
Nanos exploration_clock (void) {
  struct timespec ts;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
  return (Nanos)ts.tv_sec * NANOS + ts.tv_nsec;
}

Nanos budget_outside_clock (void) {
  struct timespec ts;
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return (Nanos)ts.tv_sec * NANOS + ts.tv_nsec;
}

Nanos budget_deadline (const Exploration *x) {
  return x->options.seconds == FOREVER ? FOREVER : x->began + x->options.seconds;
}

/*
** The clock costs as much as some steps, so it is looked at now and then; and that on the wall
** instead, which costs less, while it is too early by that one too.
*/
bool budget_is_past (Exploration *x, Nanos time) {
  Nanos outside;
  if (time == FOREVER || x->looks++ % LOOKS != 0) return false;
  outside = budget_outside_clock();
  if (x->looked + (outside - x->looked_outside) < time) return false;
  x->looked_outside = outside;
  x->looked = exploration_clock();
  return x->looked >= time;
}

/* What waits for something outside takes no time of the processor. */
static bool takes_too_long (const Exploration *x) {
  return x->options.seconds <= FOREVER / PATIENCE
         && budget_outside_clock() - x->began_outside > x->options.seconds * PATIENCE;
}

bool budget_must_end (const Exploration *x) {
  return atomic_load_explicit(&x->interrupted, memory_order_relaxed)
         || world_subject_is_another(x->world) || takes_too_long(x);
}

bool budget_is_used_up (const Exploration *x) {
  Nanos deadline = budget_deadline(x);
  return x->runs >= x->options.executions || budget_must_end(x)
         || (deadline != FOREVER && exploration_clock() >= deadline);
}
