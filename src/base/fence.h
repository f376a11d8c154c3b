/*
** fence.h - a memory fence of which one side is nearly free.
**
** Two threads each write a word and then read the other's, and at least one must
** see what the other wrote. Either both put a fence in between, or, where the
** kernel can put one into every running thread of the process (membarrier(2)),
** the one that does so often does nothing, and the other, that does it seldom,
** asks the kernel.
*/
#ifndef BASE_FENCE_H
#define BASE_FENCE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#if defined(__SANITIZE_THREAD__) /* knows of no such fence */
static const bool fence_by_kernel = false;
static inline void fence_init (void) {}
#else
extern bool fence_by_kernel; /* const after fence_init */
/* Asks the kernel for its help; before threads need it. */
void fence_init (void);
#endif

/* Writes `value`; reads that follow happen after the write. For the side that does it often. */
static inline void fence_write (atomic_uint_least64_t *word, uint64_t value) {
  if (fence_by_kernel) {
    atomic_store_explicit(word, value, memory_order_release);
    atomic_signal_fence(memory_order_seq_cst);
  }
  else atomic_store(word, value);
}

/*
** Call it between your write and your read of the other side's word. Your write must
** be sequentially consistent.
*/
void fence_here (void);

#endif
