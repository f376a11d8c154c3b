/*
** probe.h - whether what we know of Lua's insides holds in the Lua that runs.
*/
#ifndef BASE_PROBE_H
#define BASE_PROBE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <lua.h>

/* What a probe has come to, for all states of the process. All zero: it has not run. */
typedef atomic_int Probe;

/*
** Runs `test`, which returns true where it holds, unless that has been done. The test
** has a state made for it: what happens once in a process must not move the pace of the
** collector of the simulated world in which it happens to come first.
*/
void probe_run (Probe *p, lua_CFunction test);
/* False as well where it has not run. */
bool probe_holds (const Probe *p);

#endif
