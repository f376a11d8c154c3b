/*
** system.c - a thread that waits for the system (see system.h).
*/
#include <errno.h>

#include "thread/system.h"

void system_leave_read (Thread *self) {
  int in, saved = errno;
  do {
    pthread_mutex_lock(&self->mu); /* the reader holds it */
    pthread_mutex_unlock(&self->mu);
    in = SYSTEM_IN;
  } while (!atomic_compare_exchange_strong(&self->system, &in, SYSTEM_OUT));
  errno = saved;
}

lua_State *system_hold (Thread *t) {
  int in = SYSTEM_IN;
  return atomic_compare_exchange_strong(&t->system, &in, SYSTEM_READ) ? t->in_system : NULL;
}

void system_release (Thread *t) { atomic_store(&t->system, SYSTEM_IN); }
