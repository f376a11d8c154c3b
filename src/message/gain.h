/*
** gain.h - whether a class has got a field.
**
** Its tables are those where its instances look for methods: itself, its __index or
** else its metatable, and so on.
*/
#ifndef MESSAGE_GAIN_H
#define MESSAGE_GAIN_H

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

/* What has been seen of a class. */
typedef struct Gain {
  uint64_t sum;      /* over the fields of its tables; 0: never */
  uint64_t chain;    /* over the tables; 0: the marks say nothing */
  uint32_t expected; /* marks, two bits for each table */
  uint32_t marks;    /* so many the thread had set by then */
  int left;          /* askings until its fields are gone through in any case */
  bool transfers;    /* it has a __transfer of its own */
} Gain;

/* Finds out whether marks work in this Lua; in protected mode. [0, 0, memory] */
void gain_prepare (void);
/*
** Whether the class at `index`, or function, has other fields than at the last
** gain_look. After gain_prepare. The Names are at `names`, as a userdata. [0, 0, -]
*/
bool gain_has (lua_State *L, int index, Gain *g, int names);
/* Looks at its fields; whether they are others than the last time, which was not the first. [0, 0, -] */
bool gain_look (lua_State *L, int index, Gain *g, int names);

#endif
