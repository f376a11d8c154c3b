/*
** explore.h - sync.explore, and luasync --explore.
*/
#ifndef EXPLORE_EXPLORE_H
#define EXPLORE_EXPLORE_H

#include <lua.h>
#include "world/world.h"

enum {
  WAY_DEFAULT, /* dpor and states in turn */
  WAY_DPOR,
  WAY_STATES,
  WAY_DFS,
  WAY_BOUNDED,
  WAY_RANDOM,
  WAY_PCT,
  WAY_POS,
  WAY_URW
};

/* How far a search is. */
typedef struct ExploreProgress {
  lua_Integer runs;  /* of the program to an end */
  size_t states;     /* visited */
  double executions; /* that differ */
  double estimate;   /* of how many there are; negative: none */
  double seconds;    /* of the processor so far */
} ExploreProgress;

typedef struct ExploreOptions {
  lua_Integer executions; /* at most */
  Nanos seconds;          /* at most; FOREVER: as long as it takes */
  int way;                /* WAY_…: how to search */
  uint64_t seed;          /* of the random ways */
  int preemptions;        /* at most, for WAY_BOUNDED */
  bool early_ticks;       /* any step may take longer than any timeout */
  bool one_search;        /* not that after all the others have been searched: see explore.c */
  bool outputs;           /* what is printed counts as an outcome */
  void (*progress)(lua_State *L, const ExploreProgress *p); /* NULL: nobody wants to know */
  bool anew;           /* each execution begins anew: no snapshots, for checking */
  const char *program; /* a script's failure is printed behind this name; or NULL */
} ExploreOptions;

#define EXPLORE_DEFAULTS \
  ((ExploreOptions){.executions = 200000, .seconds = (Nanos)2 * NANOS, .seed = 1, .preemptions = 2})

#define EXPLORE_LIMIT ((Nanos)60 * NANOS) /* where only the number of executions is given */

const char *explore_way_name (int way);

/* explore(fn [, opts]); see the reference. */
int explore (lua_State *L);

/*
** The same for body(L, ud) as the main thread; leaves the raw result on L's stack,
** which is emptied before. [-n, +1, raises]
*/
int explore_body (lua_State *L, const ExploreOptions *options, int (*body)(lua_State *L, void *ud),
                  void *ud);

#endif
