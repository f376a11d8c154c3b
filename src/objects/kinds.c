/*
** kinds.c - the list of all kinds of objects.
*/
#include "objects/kinds.h"

const Kind *const all_kinds[] = {
    &thread_kind,  &lock_kind,   &rlock_kind,   &condition_kind, &event_kind,  &semaphore_kind,
    &bounded_kind, &queue_kind,  &lifo_kind,    &priority_kind,  &simple_kind, &local_kind,
    &shared_kind,  &atomic_kind, &barrier_kind, &pool_kind,      &future_kind, &timer_kind,
    &scope_kind,   &rwlock_kind, NULL};
