/*
** sigquit.h - SIGQUIT writes what every thread is doing.
*/
#ifndef OBSERVE_SIGQUIT_H
#define OBSERVE_SIGQUIT_H

#include "world/world.h"

/* Once: from now on SIGQUIT writes a dump on stderr, and the program goes on. */
void sigquit_install (void);

/* Asks for a dump of what runs here; from anywhere, also from signal handlers. */
void sigquit_ask (void);

/* Writes the dump that was asked for while a simulated world ran; from the hook of its thread. */
void sigquit_simulated (Thread *self);

#endif
