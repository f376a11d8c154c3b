/*
** stranded.h - threads that wait for what nobody can do any more, while others go on.
*/
#ifndef OBSERVE_STRANDED_H
#define OBSERVE_STRANDED_H

#include "world/wait_line.h"

/*
** Called by a thread that stands in line without a deadline, a select in n lines. Parks until the wait is
** over, or the thread is interrupted; meanwhile looks now and then whether the
** wait is hopeless, and tells it once.
*/
void stranded_wait (Thread *self, Waiter *const *waiters, int n);

#endif
