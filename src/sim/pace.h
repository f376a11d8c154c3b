/*
** pace.h - when the clock of a simulated world goes on although a thread can
** run, and when its threads run in vain. The rules are a table in pace.c.
*/
#ifndef SIM_PACE_H
#define SIM_PACE_H

#include <stdbool.h>
#include "sim/sim_thread.h"

typedef struct Sim Sim;

/* All zero at first. */
typedef struct Pace {
  long readings;    /* of the clock, since it last moved */
  long looks;       /* operations in a row that changed nothing, since the clock last moved */
  long all_looks;   /* the same, however the clock moved */
  long busy;        /* operations in a row without a moment in which no thread could run */
  uint64_t halfway; /* waits that had begun when half of the looks of a livelock had been done */
} Pace;

typedef enum PaceVerdict { PACE_FINE, PACE_ONLY_LOOKS, PACE_TOO_LONG } PaceVerdict;

/*
** `me` is about to do `op`: lets the clock go on where that is due. Other than
** PACE_FINE: a livelock.
*/
PaceVerdict pace_operation (Sim *sim, SimThread *me, const Op *op);
/* The clock has moved. */
void pace_clock_moved (Sim *sim);
/* No thread can run at present. */
void pace_break (Sim *sim);

#endif
