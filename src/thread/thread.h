/*
** thread.h - the life of a thread, and what others may do to it. The Lua side is
** in thread.c, the life in life.c, interrupts and other alerts in alert.c.
*/
#ifndef THREAD_THREAD_H
#define THREAD_THREAD_H

#include "message/message.h"
#include "world/thread_record.h"

extern const Kind thread_kind;
extern const Kind timer_kind;          /* timer.c */
extern const Kind scope_kind;          /* scope.c */
extern const Selectable thread_select; /* life.c */
int thread_new (lua_State *L);         /* Thread(...) */
int thread_spawn (lua_State *L);       /* spawn(fn, ...) */
int timer_new (lua_State *L);          /* Timer(interval, fn, ...) */
int scope_new (lua_State *L);          /* Scope() */
int scope_call (lua_State *L);         /* scope(fn, ...) */
int thread_settle (lua_State *L);      /*
** Makes an unstarted thread, zeroed behind the Thread, and pushes its proxy, which
** is not ready yet. [0, +1, memory]
*/
Thread *thread_make (lua_State *L, size_t size, const Kind *kind);

/*
** Replaces the values from stack index `target` (which may be nil) up to the
** top by a table of them in the proxy at `proxy`. [-n, 0, memory]
*/
void thread_store_work (lua_State *L, int proxy, int target);

/*
** The thread that the running function has made is one of World.unstarted, for reports,
** until it is started or destroyed. [0, 0, -]
*/
void thread_await_start (lua_State *L, Thread *t);
void thread_await_start_no_more (Thread *t);

/* Starts the thread at 1, which is all that is left on the stack. [0, 0, raises] */
int thread_start (lua_State *L);

/* settle([timeout]) */

/*
** attach.c: a thread that luasync has not made, alive from now on: the main thread
** of a world, made once; a daemon named Dummy-N. NULL: no memory. It counts as
** awake; a foreign one does so for ever, as its program may have more of them.
*/
Thread *thread_attach_main (World *world);
Thread *thread_attach_foreign (World *world);
/* Such a thread is the OS thread that calls, and its state is L. */
void thread_bind (Thread *t, lua_State *L);
/* The end of a foreign thread, or of its state. */
void thread_end_foreign (Thread *t);
/* The life of a started thread, called by the driver on its new stack; consumes one reference. */
void thread_body (Thread *t);
/*
** Calls the target of `work` with everything around it, leaving the outcome in t;
** true: it returned.
*/
bool thread_call_work (lua_State *L, Thread *t);
/*
** copy.c: the work of t has been decoded to the n values from index `first` on, and is
** taken over; its target has returned, and the first of them is still alive, or it has
** failed; nobody will ask for it any more.
*/
void thread_copy_begin (lua_State *L, Thread *t, Message *work, int first,
                        int n);                 /* [0, 0, memory] */
void thread_copy_end (lua_State *L, Thread *t); /* [0, 0, -] */
extern _Thread_local bool thread_copy_ignored;  /* on this OS thread nobody looks then */
void thread_copy_forget (Thread *t);
/* Somebody has looked at what a thread has changed. */
void thread_copy_found (bool found);
/* For the recording: the thread does nothing more. */
void thread_record_end (Thread *t);
/* The main script is over: threads that join the main thread go on. It stays in the list. */
void thread_main_over (Thread *t);
/*
** The thread is about to close its state: nothing interrupts what runs in there.
** Returns the state, NULL the second time.
*/
lua_State *thread_leave_state (Thread *t);
/* Closes a state of the running thread that it has left. */
void thread_close_state (lua_State *L);
/* Marks t as ended and wakes the threads that join it. */
void thread_end (Thread *t);

/* Raises the pending interrupt, if any. [0, 0, raises] */
void thread_raise (lua_State *L);
/* Sets a bit of alerts and wakes the thread; safe in signal handlers. */
void thread_alert (Thread *t, unsigned bit);
/*
** From a signal handler: what it wants is for the thread that runs next in the
** simulated world here; false: there is none.
*/
bool thread_signal_here (unsigned alert);
/*
** Sets thread_hook in the coroutine L that t runs, remembering the hook it had; by t
** itself, or while it stands still.
*/
void thread_arm (Thread *t, lua_State *L);
/*
** The running thread t goes on in another coroutine, which is asked to look at
** pending alerts. While its state is being closed a thread runs nothing. [0, 0, -]
*/
void thread_switch (Thread *t, lua_State *to);
/* A hook that looks at alerts at once; for drivers' `poke`. */
void thread_hook (lua_State *L, lua_Debug *ar);

/*
** Not NULL: whoever runs worlds on this OS thread only wants to know of a Ctrl-C, and no
** thread of these is to be interrupted by it.
*/
extern _Thread_local atomic_bool *thread_break_noted;

/* Whether t, which runs, is asked for something, or whichever thread runs in its world is. */
bool thread_is_asked (Thread *t);

void thread_copy_name (Thread *t, char buffer[64]);

/* In the list of a world's living threads, and out of it. */
void thread_list_add (Thread *t);
void thread_list_remove (Thread *t);
/*
** A new reference to a living non-daemon thread other than main, or NULL; `daemons`
** counts the others.
*/
Thread *thread_list_foreground (World *world, int *daemons);

/* Waits for all non-daemon threads. Returns how many daemons are left, -1: interrupted. */
int thread_join_foreground (lua_State *L);
/* The same at the end of the main script, after which the main thread starts no other. */
int thread_join_all (lua_State *L);

/* Waits for the end of t; FOREVER or an absolute deadline. WAKE_CHOSEN: ended. */
Wake thread_wait_end (lua_State *L, Thread *t, Nanos deadline);
/* The same on behalf of result(), which takes the error if there is one. */
Wake thread_wait_result (lua_State *L, Thread *t, Nanos deadline);
/* Whether somebody waits for the result of t, without a deadline. */
bool thread_result_awaited (Thread *t);

#endif
