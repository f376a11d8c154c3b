/*
** seat.h - where a thread of a simulated world sits: a C stack and an arena
** with a Lua state, at addresses that are the same in every process. Seats come
** in rooms, one room for each simulated world that is alive at a time; a room
** and its seats are kept for the next world, each state as it was when new.
*/
#ifndef SEAT_H
#define SEAT_H

#include "sim/arena.h"
#include "sim/fibre.h"
#include "thread/thread.h"

typedef enum SeatState { SEAT_FREE, SEAT_TAKEN, SEAT_READY, SEAT_RUNNING, SEAT_PARKED } SeatState;

typedef struct Seat {
  Fibre fibre;
  Arena *arena;
  lua_State *L;                   /* in the arena, the same at every restore */
  uint64_t *random;               /* the state of math.random in it, or NULL */
  bool used;                      /* no longer as new */
  SeatState state;
  Thread *thread;
  Nanos deadline;                 /* while parked */
  uint64_t order;                 /* of parking: equal deadlines end in this order */
  bool looked_at;                 /* since it has parked: whether it waits in a circle */
  bool timed_out;                 /* its last wait came to its deadline */
  bool may_time_out;              /* its last operation was one that changes nothing then */
  long operations, outputs;       /* announced since it was last switched to */
} Seat;

typedef struct Room Room;

/* `equip` turns a fresh state into one for simulated threads. The first few rooms have fixed addresses. NULL: all are in use, or no memory. */
Room *room_take (lua_CFunction equip);
void room_leave (Room *room);     /* nobody in it runs any more */

/* A free seat with a pristine state, built on `here`'s behalf where it is new. NULL: none, or no memory. */
Seat *seat_take (Room *room, Fibre *here);

/* Begins math.random's sequence anew: another one for each n. */
void seat_seed (Seat *seat, uint64_t n);

/* Whether a state is being made right now: time() must then be constant, the hash seed depends on it. */
extern _Thread_local bool seat_building;

#endif
