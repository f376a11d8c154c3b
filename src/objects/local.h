/*
** local.h - what local_cycles.c needs of local.c.
*/
#ifndef OBJECTS_LOCAL_H
#define OBJECTS_LOCAL_H

#include <lua.h>

typedef struct Fate Fate;

/* Keeps the fields of a Local, its user value, alive in this state. */
typedef struct Pin {
  Fate *fate;
  lua_Integer number; /* of the Local */
} Pin;

/* Pushes the table from numbers to Pins. [0, +1, memory] */
void local_push_pins (lua_State *L);
/* A Local has been pinned in this thread. */
void local_note_pin (void);
/* As many are pinned in this thread. */
void local_note_pins (unsigned count);

#endif
