/*
** fingerprint.h - a number for the state that a world stands in.
**
** Arenas and stacks lie at fixed addresses, so what a world will do depends on the
** bytes in them and on nothing else: two states with equal bytes have the same future.
** What cannot change that future is left out: the arena and stack of a thread that has
** ended, what has been printed, the schedule.
**
** Addresses depend on what a thread itself has done, not on the schedule. So states that
** are reached by the same steps in another order are equal, and a loop comes back to
** where it was if it leaves nothing behind in the memory of its thread.
*/
#ifndef SIM_FINGERPRINT_H
#define SIM_FINGERPRINT_H

#include "sim/checkpoint.h"

typedef struct Fingerprint Fingerprint;

Fingerprint *fingerprint_new (void); /* NULL: no memory */
void fingerprint_free (Fingerprint *f);

/*
** The world stands, and has a checkpoint. 128 bits, so that two states hardly ever
** share them. False: there is more to the state than memory, as a file that is open; or
** no memory.
*/
bool fingerprint_take (Fingerprint *f, Sim *sim, uint64_t key[2]);

#endif
