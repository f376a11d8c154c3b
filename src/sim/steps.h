/*
** steps.h - a simulated world that is moved from outside, one operation at a time.
**
**     Sim *sim = sim_begin(&options, body, ud, &report);
**     while (!sim_is_over(sim)) {
**       … look at sim_pending(sim, i) for i = 0 .. sim_thread_count(sim) - 1 …
**       sim_step(sim, i);       // or sim_step_clock(sim)
**     }
**     sim_end(sim);
**
** Whenever the outside runs, every thread of the world stands: held in front of
** an operation that it has announced and not begun, or in a line or asleep, or
** it has ended. A step lets one thread go through its operation and on to the
** next one that it announces. Threads that it wakes or starts run on to their own
** next announcement at once, as a part of the same step: what lies between two
** announcements touches nothing that another thread could see.
**
** Nothing happens by itself: the clock stands, pace.c keeps still, and a world in
** which no thread is held is not reported as stuck. To step a thread whose
** operation must wait is allowed: the thread then stands in line as in any run.
**
** No thread is held in front of a print. A thread is known by its number in schedules: 0 is main.
*/
#ifndef SIM_STEPS_H
#define SIM_STEPS_H

#include "sim/sim.h"

typedef struct Sim Sim;

/*
** Makes a world as sim_run does and lets its main thread run to its first
** announcement. options->policy is not looked at. NULL: no world could be made.
*/
Sim *sim_begin (const SimOptions *options, int (*body)(lua_State *L, void *ud), void *ud,
                SimReport *report);

/* Whether the run has ended; the report's verdict says how. Only sim_end is left then. */
bool sim_is_over (const Sim *sim);

/*
** Whether some thread has loaded a library in C: what that keeps in memory of its own is no
** part of a checkpoint. Where it is loaded after a checkpoint this is not known there any more.
*/
bool sim_is_foreign (const Sim *sim);

/* All numbers below this one have been given to threads, started or not. */
int sim_thread_count (const Sim *sim);

/*
** The operation that the thread is held in front of, valid until it is stepped; NULL:
** it is not held.
*/
const Op *sim_pending (const Sim *sim, int thread);

typedef enum SimStand { SIM_ELSEWHERE, SIM_HELD, SIM_PARKED } SimStand;

/* How the thread stands. In *t who it is; NULL: it has not been started, or has ended. */
SimStand sim_stand (const Sim *sim, int thread, Thread **t);

/*
** Another number after each step by which a thread has come, ended, parked or been woken; as long
** as it is the same, sim_stand is what it was.
*/
uint64_t sim_changes (const Sim *sim);

/* Whether the thread stands in a line or sleeps. In *deadline until when. */
bool sim_is_parked (const Sim *sim, int thread, Nanos *deadline);

/*
** Maker and number of the object in whose line the thread stands, or has stood since it
** was stepped last; NULL: none.
*/
const uint32_t *sim_stood (const Sim *sim, int thread);

/* Lets a thread go through its operation; where it is not held nothing happens. */
void sim_step (Sim *sim, int thread);

/*
** Lets the clock go on to the next deadline of a parked or held thread. Parked
** threads whose deadline that is run to their next announcement; held ones stay.
** False: there is no deadline.
*/
bool sim_step_clock (Sim *sim);

/* The thread with that number; NULL: it has not been started, or has ended. */
Thread *sim_thread_of (const Sim *sim, int thread);

/* Whether objects note where they were taken, as they do at first: only reports want to know. */
void sim_mark_places (Sim *sim, bool mark);

/*
** Whether at the end of a thread it is looked at what has become of its copies, as it is at
** first: who has seen many runs of the world will not be told anything new.
*/
void sim_look_at_copies (Sim *sim, bool look);

/*
** Whether what is over leaves no trace on stacks, as it does at first: only those who
** compare states want that.
*/
void sim_wipe (Sim *sim, bool wipe);

Nanos sim_clock (const Sim *sim);
World *sim_world (Sim *sim);

/* Ends the run wherever it stands, fills in the rest of the report and frees the world. */
void sim_end (Sim *sim);

#endif
