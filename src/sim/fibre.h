/*
** fibre.h - C stacks that are switched by hand, on one OS thread.
**
**     Fibre f;
**     fibre_init(&f, address, entry, ud);
**     fibre_switch(&outside, &f);       // runs entry(ud) on f's stack …
**     fibre_switch(&f, &outside);       // … until it switches back
**
** An entry function never returns: it switches away for the last time.
*/
#ifndef SIM_FIBRE_H
#define SIM_FIBRE_H

#include <stdbool.h>
#include <stddef.h>

#define FIBRE_STACK \
  ((size_t)1 << 20) /* nested gsub needs more than 256 KiB; the lowest page is a guard */

typedef struct Fibre {
  void *sp;    /* saved stack pointer */
  char *stack; /* lowest address; NULL: the OS thread's own stack */
  void (*entry)(void *ud);
  void *ud;
  void *context;      /* where the switch is not hand-written */
  void *sanitizer;    /* what tools want to know: ThreadSanitizer's fibre, valgrind's stack, … */
  const void *bottom; /* … AddressSanitizer's bounds of an OS thread's own stack */
  size_t size;
} Fibre;

/* Makes a stack at `address`, or anywhere where that is taken. False: no memory. */
bool fibre_init (Fibre *f, void *address);
void fibre_free (Fibre *f);
/* Sets what the next switch to f begins with; whatever it did before is forgotten. */
void fibre_start (Fibre *f, void (*entry)(void *ud), void *ud);
/*
** The lowest address in use on the stack of a fibre that stands; NULL: not known on
** this machine.
*/
char *fibre_top (const Fibre *f);
/* Clears what calls that are over have left below it. The fibre must stand. */
void fibre_wipe (Fibre *f);
void fibre_switch (Fibre *from, Fibre *to);
/* The OS thread's own stack, before the first switch away from it. */
void fibre_outside (Fibre *f);
void fibre_outside_done (Fibre *f);

#endif
