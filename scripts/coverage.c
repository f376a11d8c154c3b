/*
** coverage.c - for the build that counts (`make coverage`): a process that ends by _exit,
** or because its terminal goes away, says what it has run as well.
*/
#include <signal.h>
#include <unistd.h>

#define PATIENCE 5 /* seconds */

void __gcov_dump (void);
_Noreturn void __real__exit (int code);
_Noreturn void __wrap__exit (int code);

_Noreturn void __wrap__exit (int code) {
  __gcov_dump();
  __real__exit(code);
}

/*
** The code that is interrupted may have what counting needs, and with it the lock of a file
** that other processes wait for: the alarm ends this one then.
*/
static void end (int sig) {
  signal(SIGALRM, SIG_DFL);
  alarm(PATIENCE);
  __wrap__exit(128 + sig);
}

__attribute__((constructor)) static void watch (void) { signal(SIGHUP, end); }
