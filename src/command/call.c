/*
** call.c - calls that Ctrl-C can end, and what the command says of errors.
*/
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "command/call.h"
#include "observe/recorder.h"
#include "thread/hint.h"
#include "real/real_driver.h"
#include "thread/thread.h"
#include "world/record.h"

/* In a simulated world, which may keep what is written; false: it could not be. */
static bool say_here (const char *program, const char *message) {
  size_t length = strlen(message) + (program ? strlen(program) + 2 : 0) + 1;
  char *text = malloc(length + 1);
  bool said = text != NULL;
  if (said) {
    snprintf(text, length + 1, "%s%s%s\n", program ? program : "", program ? ": " : "", message);
    said = world_here->driver->write(world_here, 2, text, length);
  }
  free(text);
  return said;
}

/* One call of stdio per message: threads write to stderr as well. */
void call_say (const char *program, const char *message) {
  if (world_here != NULL && thread_self != NULL && thread_self->object.world == world_here
      && say_here(program, message))
    return;
  if (program) fprintf(stderr, "%s: %s\n", program, message);
  else fprintf(stderr, "%s\n", message);
  fflush(stderr);
}

/* [-1, +0] if status is an error: writes the message on the top. */
int call_report (lua_State *L, int status, const char *program) {
  if (status != LUA_OK) {
    if (status == LUA_ERRSYNTAX) hint_append(L);
    const char *message = lua_tostring(L, -1);
    call_say(program, message ? message : "(error message not a string)");
    lua_pop(L, 1);
  }
  return status;
}

/* Message handler: anything without a text of its own is named by its type. */
static int add_traceback (lua_State *L) {
  const char *message = lua_tostring(L, 1);
  if (!message) {
    if (luaL_callmeta(L, 1, "__tostring") && lua_type(L, -1) == LUA_TSTRING) {
      record_error(L, -1);
      return 1; /* the object's own text stands alone */
    }
    lua_pushfstring(L, "(error object is a %s value)", luaL_typename(L, 1));
  }
  record_error(L, -1);
  hint_append(L);
  luaL_traceback(L, L, lua_tostring(L, -1), 1);
  return 1;
}

static void interrupt (int sig) {
  recorder_after_break();
  real_interrupt(sig);
}

/*
** The default action comes back with the first Ctrl-C, so that a second one
** ends a program that never gets to raise its error.
*/
void call_catch_sigint (bool on) {
  struct sigaction action;
  if (thread_break_noted != NULL) return; /* an exploration, to which it stays */
  memset(&action, 0, sizeof action);
  action.sa_handler = on ? interrupt : SIG_DFL;
  action.sa_flags = (int)SA_RESETHAND;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, NULL);
}

/* [-(n+1), +results or the message] */
int call_function (lua_State *L, int n, int results) {
  int handler = lua_gettop(L) - n;
  lua_pushcfunction(L, add_traceback);
  lua_insert(L, handler);
  call_catch_sigint(true);
  int status = lua_pcall(L, n, results, handler);
  call_catch_sigint(false);
  lua_remove(L, handler);
  return status;
}
