/*
** coverage.c - for the build that counts (`make coverage`): a process that ends by _exit,
** or because its terminal goes away, says what it has run as well.
*/
#include <signal.h>
#include <unistd.h>

void __gcov_dump (void);
_Noreturn void __real__exit (int code);
_Noreturn void __wrap__exit (int code);

_Noreturn void __wrap__exit (int code) {
  __gcov_dump();
  __real__exit(code);
}

static void end (int sig) { __wrap__exit(128 + sig); }

__attribute__((constructor)) static void watch (void) { signal(SIGHUP, end); }
