/*
** real_driver.h - the real driver, and what only the process's end needs of it.
*/
#ifndef REAL_REAL_DRIVER_H
#define REAL_REAL_DRIVER_H

#include "world/world.h"

extern const Driver real_driver;

/*
** What takes what threads print, or NULL: the streams themselves. Returns whether
** it has; called by any thread, with none of our mutexes held by its own doing.
*/
extern bool (*_Atomic real_output)(int stream, const char *text, size_t length);
/* Whether real_output has taken it. */
bool real_take_output (int stream, const char *text, size_t length);

/* A signal handler (SIGINT): the main thread raises `interrupted!`, also out of a blocked call. */
void real_interrupt (int sig);

/* Ends and joins the idle OS threads; at the end of the process, all threads over. */
void real_stop_workers (void);

#endif
