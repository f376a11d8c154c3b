/*
** thread.h - the life of a thread, and what others may do to it. The Lua side is
** in thread.c.
*/
#ifndef THREAD_THREAD_H
#define THREAD_THREAD_H

#include "message/message.h"
#include "world/thread_record.h"

extern const Kind thread_kind;
int thread_new (lua_State *L);   /* Thread(...) */
int thread_spawn (lua_State *L); /* spawn(fn, ...) */

/* The main thread of a world, running in L; made once, by the driver or by luaopen. */
Thread *thread_attach_main (lua_State *L, World *world);
/* The life of a started thread, called by the driver on its new stack; consumes one reference. */
void thread_body (Thread *t);
/* Calls the target of `work` with everything around it, leaving the outcome in t; true: it returned. */
bool thread_call_work (lua_State *L, Thread *t);
/* The main script is over: who joins the main thread goes on; it stays in the list. */
void thread_main_over (Thread *t);
/* The main thread's state is about to be closed: nobody may interrupt what runs in there. Returns it, NULL the second time. */
lua_State *thread_leave_state (Thread *t);
/* Closes a state of the running thread that it has left. */
void thread_close_state (lua_State *L);
/* Marks it ended and wakes who joins it. */
void thread_end (Thread *t);

/* Raises the pending interrupt, if any. [0, 0, raises] */
void thread_raise (lua_State *L);
/* Sets a bit of alerts and wakes the thread; safe in signal handlers. */
void thread_alert (Thread *t, unsigned bit);
/* From a signal handler: what it wants is for the thread that runs next in the simulated world here; false: there is none. */
bool thread_signal_here (unsigned alert);
/* Sets thread_hook in the coroutine L that t runs, remembering the hook it had; by t itself, or while it stands still. */
void thread_arm (Thread *t, lua_State *L);
/* A hook that looks at alerts at once; for drivers' `poke`. */
void thread_hook (lua_State *L, lua_Debug *ar);

/* Whether a running thread is to look at what others want of it, or of whoever runs in its world. */
bool thread_is_asked (Thread *t);

void thread_copy_name (Thread *t, char buffer[64]);

/* In the list of a world's living threads, and out of it. */
void thread_list_add (Thread *t);
void thread_list_remove (Thread *t);
/* A new reference to a living non-daemon thread other than main, or NULL; `daemons` counts the others. */
Thread *thread_list_foreground (World *world, int *daemons);

/* At the end of the main script: waits for all non-daemon threads. Returns how many daemons are left, -1: interrupted. */
int thread_join_all (lua_State *L);

/* Waits for the end of t; FOREVER or an absolute deadline. WAKE_CHOSEN: ended. */
Wake thread_wait_end (lua_State *L, Thread *t, Nanos deadline);
/* The same on behalf of result(), which takes the error if there is one. */
Wake thread_wait_result (lua_State *L, Thread *t, Nanos deadline);
/* Whether somebody waits for the result of t, without a deadline. */
bool thread_result_awaited (Thread *t);

/* Module functions: set_excepthook, and the default hook. */
int excepthook_set (lua_State *L);
int excepthook_default (lua_State *L);
int excepthook_untaken (lua_State *L);
/* Calls the hook for the error value at the top of the stack, with the traceback kept by excepthook_trace. [-1, 0, -] */
void excepthook_call (lua_State *L);
/* A message handler that keeps a traceback and leaves the error value alone. */
int excepthook_trace (lua_State *L);

#endif
