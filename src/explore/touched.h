/*
** touched.h - the objects that an operation acts on: after it what they leave unused is
** tidied, so that equal states are equal bytes.
*/
#ifndef EXPLORE_TOUCHED_H
#define EXPLORE_TOUCHED_H

#include "explore/footprint.h"
#include "world/wait_line.h"

typedef struct Touched {
  Object *list[ACCESSES_MOST + 2]; /* a reference each */
  int count;
} Touched;

void touched_find (Touched *t, const Op *op); /* NULL: none */
void touched_tidy (Touched *t);

#endif
