/*
** request.h - a run of a simulated world that Lua code asks for.
*/
#ifndef SIM_REQUEST_H
#define SIM_REQUEST_H

#include "message/message.h"
#include "sim/sim.h"

typedef struct SimRequest {
  Message *work;     /* fn, for the main thread of the new world */
  Message *modules;  /* what it can require besides files, or NULL */
  World *home;       /* the world of the caller */
  lua_State *caller; /* its state, which stands still meanwhile */
  Message
      *outcome; /* what fn returned, or its error; a reference. NULL: it has not come to its end */
  bool failed;
} SimRequest;

/* The body of the new world's main thread: calls fn. */
int sim_request_run (lua_State *L, void *request);

#endif
