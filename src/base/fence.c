/*
** fence.c - the costly side of a fence: some microseconds.
*/
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fence.h"

#if !defined(__SANITIZE_THREAD__)
bool fence_by_kernel;

void fence_init (void) {
  fence_by_kernel = syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0;
}
#endif

void fence_here (void) {
  if (fence_by_kernel) syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
}
