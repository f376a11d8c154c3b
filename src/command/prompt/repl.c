/*
** repl.c - the session at a terminal: what Lua cannot do by itself.
**
** The session is written in Lua (luasync.repl) and gets a table of functions,
** the `terminal`, from here: reading an entry, calling a function so that
** Ctrl-C ends it, ending the process. What is here besides:
**
**  - Output. While an entry is read, what threads print is kept (output.c)
**    and the editor shows it above the prompt.
**  - Ctrl-C. One handler for the session: an entry being read is dropped, a call
**    is interrupted, in between it means nothing. Code that does not return from
**    a C function cannot be interrupted: there the fourth Ctrl-C ends the process.
*/
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lauxlib.h>

#include "module/program.h"
#include "command/prompt/editor.h"
#include "command/prompt/entries.h"
#include "command/prompt/output.h"
#include "command/prompt/repl.h"
#include "base/source_text.h"
#include "thread/thread.h"
#include "real/real_driver.h"
#include "sim/sim.h"
#include "world/args.h"
#include "world/lua_module.h"

#define FAILURES_MOST 10 /* of the session's own code, without an entry between them */

/*
** Ctrl-C.
*/

typedef enum Phase { PHASE_SESSION, PHASE_READING, PHASE_CALLING } Phase;

static _Atomic Phase phase;
static atomic_int presses; /* of Ctrl-C, not yet obeyed by the running call */

static void say_stuck (void) {
  static const char text[] = "\nstill inside a C function; one more Ctrl-C ends the process\n";
  if (write(STDERR_FILENO, text, sizeof text - 1) < 0) return;
}

static void on_interrupt (int sig) {
  int saved = errno;
  switch (atomic_load(&phase)) {
    case PHASE_READING: editor_interrupt(); break;
    case PHASE_SESSION: break;
    case PHASE_CALLING: {
      int n = atomic_fetch_add(&presses, 1) + 1;
      if (n == 3) say_stuck();
      if (n > 3) {
        signal(sig, SIG_DFL);
        raise(sig);
      }
      real_interrupt(sig);
    }
  }
  errno = saved;
}

/* Without SA_RESTART, so that a call that reads the terminal can be interrupted as well. */
static void catch_interrupt (struct sigaction *old) {
  struct sigaction action = {.sa_handler = on_interrupt};
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, old);
}

/*
** The terminal's functions. Upvalue 1 of each: the Session.
*/

typedef struct Session {
  lua_State *L; /* where hooks run: the state that reads an entry */
  Editor *editor;
  int hooks;    /* stack index of the table of Lua hooks while an entry is read */
  char *answer; /* of the last hook */
} Session;

static Session *session_of (lua_State *L) { return lua_touserdata(L, lua_upvalueindex(1)); }

/*
** Calls the hook with the n values at the top of the stack; keeps its answer as
** text. NULL: none, or an error.
*/
static const char *ask (Session *s, const char *hook, int n) {
  lua_State *L = s->L;
  const char *text = NULL;
  free(s->answer);
  s->answer = NULL;
  lua_getfield(L, s->hooks, hook);
  lua_insert(L, -n - 1);
  if (lua_pcall(L, n, 1, 0) == LUA_OK) text = lua_tostring(L, -1);
  if (text != NULL) s->answer = strdup(text);
  lua_pop(L, 1);
  return s->answer;
}

static const char *hook_prompt (void *ud) {
  const char *prompt = ask(ud, "prompt", 0);
  return prompt != NULL ? prompt : "> ";
}

static const char *hook_recall (void *ud, int back) {
  lua_pushinteger(((Session *)ud)->L, back);
  return ask(ud, "recall", 1);
}

static int hook_search (void *ud, const char *pattern, int back) {
  Session *s = ud;
  const char *found;
  lua_pushstring(s->L, pattern);
  lua_pushinteger(s->L, back);
  found = ask(s, "search", 2);
  return found != NULL ? atoi(found) : 0;
}

static const char *hook_complete (void *ud, const char *text, size_t cursor) {
  Session *s = ud;
  lua_pushstring(s->L, text);
  lua_pushinteger(s->L, (lua_Integer)cursor);
  return ask(s, "complete", 2);
}

/*
** terminal.read(hooks [, initial [, continued]]): "text", "end", "interrupt"
** or "back", and the text. The hooks are those of lineedit.h.
*/
static int terminal_read (lua_State *L) {
  static const char *const words[] = {[LINE_TEXT] = "text",
                                      [LINE_EOF] = "end",
                                      [LINE_INTERRUPTED] = "interrupt",
                                      [LINE_BACK] = "back"};
  Session *s = session_of(L), before = *s;
  Phase old = atomic_load(&phase);
  bool hushed = sim_hush(true);
  char *text = NULL;
  EditorResult result;
  luaL_checktype(L, 1, LUA_TTABLE);
  const char *initial = luaL_optstring(L, 2, NULL);
  luaL_checkstack(L, LUA_MINSTACK, NULL);
  s->L = L;
  s->hooks = 1;
  s->answer = NULL;
  output_begin();
  atomic_store(&phase, PHASE_READING);
  result = editor_read(s->editor, initial, lua_toboolean(L, 3), &text);
  atomic_store(&phase, old);
  output_end();
  sim_hush(hushed);
  free(s->answer);
  *s = before;
  lua_pushstring(L, words[result]);
  lua_pushstring(L, text != NULL ? text : "");
  free(text);
  return 2;
}

/*
** terminal.call(handler, f, ...): true and the results, or false and what the
** message handler makes of the error. Ctrl-C ends f.
*/
static int terminal_call (lua_State *L) {
  Phase old = atomic_load(&phase);
  bool hushed = sim_hush(false);
  int status;
  luaL_checktype(L, 1, LUA_TFUNCTION);
  luaL_checkany(L, 2);
  atomic_store(&presses, 0);
  atomic_store(&phase, PHASE_CALLING);
  status = lua_pcall(L, lua_gettop(L) - 2, LUA_MULTRET, 1);
  atomic_store(&phase, old);
  sim_hush(hushed);
  if (old != PHASE_CALLING) {
    atomic_fetch_and(&thread_self->alerts, ~(unsigned)ALERT_SIGNAL);
    atomic_fetch_and(&thread_self->object.world->signals, ~(unsigned)ALERT_BREAK);
  }
  lua_pushboolean(L, status == LUA_OK);
  lua_replace(L, 1);
  return lua_gettop(L);
}

/*
** terminal.evaluate(handler, f, ...): the same for what the user has typed. Where no
** thread can ever run again, f is interrupted; __deadlock has the report.
*/
static int terminal_evaluate (lua_State *L) {
  atomic_int *awake = &thread_self->object.world->awake;
  int results;
  if (atomic_load(&phase) == PHASE_CALLING) return terminal_call(L);
  atomic_fetch_sub(awake, 1);
  results = terminal_call(L);
  atomic_fetch_add(awake, 1);
  return results;
}

/*
** terminal.show(text [, stream]): above the prompt while an entry is read, else at once.
** What the session says itself is no act of a thread: no recording has it.
*/
static int terminal_show (lua_State *L) {
  size_t length;
  const char *text = luaL_checklstring(L, 1, &length);
  int stream = (int)luaL_optinteger(L, 2, 1);
  if (stream == 2) fflush(stdout);
  if (!output_take(stream, text, length)) fwrite(text, 1, length, stream == 2 ? stderr : stdout);
  fflush(stream == 2 ? stderr : stdout);
  return 0;
}

/* terminal.note(number, text): the text of an entry, for reports. */
static int terminal_note (lua_State *L) {
  size_t length;
  int number = (int)luaL_checkinteger(L, 1);
  const char *text = luaL_checklstring(L, 2, &length);
  entries_note(number, text, length);
  return 0;
}

/* terminal.stop([code]): ends the process with all its threads. */
static int terminal_stop (lua_State *L) { program_exit((int)luaL_optinteger(L, 1, 0)); }

/* terminal.list(folder): the names in it, those of folders with a slash; nil: it cannot be read. */
static int terminal_list (lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  lua_Integer n = 0;
  struct dirent *entry;
  DIR *folder = opendir(path);
  if (folder == NULL) return 0;
  lua_newtable(L);
  while ((entry = readdir(folder)) != NULL) {
    struct stat is;
    bool inside = fstatat(dirfd(folder), entry->d_name, &is, 0) == 0 && S_ISDIR(is.st_mode);
    lua_pushfstring(L, inside ? "%s/" : "%s", entry->d_name);
    lua_rawseti(L, -2, ++n);
  }
  closedir(folder);
  return 1;
}

/* terminal.size(): columns and rows. */
static int terminal_size (lua_State *L) {
  struct winsize size;
  bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0;
  lua_pushinteger(L, known && size.ws_col > 1 ? size.ws_col : 80);
  lua_pushinteger(L, known && size.ws_row > 0 ? size.ws_row : 24);
  return 2;
}

static int result_of (lua_State *L, bool done, const char *path) {
  return luaL_fileresult(L, done, path);
}

/* Writes all of the text; false: errno is set. A disk that is full takes a part of it. */
static bool write_all (int fd, const char *text, size_t length) {
  while (length > 0) {
    ssize_t n = write(fd, text, length);
    if (n < 0 && errno != EINTR) return false;
    if (n > 0) {
      text += n;
      length -= (size_t)n;
    }
  }
  return true;
}

/* Takes a file away from all but its owner; where that is not allowed, it stays as it is. */
static void make_private (int fd) {
  struct stat is;
  if (fstat(fd, &is) == 0 && S_ISREG(is.st_mode) && (is.st_mode & 077) != 0
      && fchmod(fd, 0600) != 0)
    errno = 0;
}

/*
** terminal.append(path, text): adds it to a file that only its owner may read; in
** one write, for other sessions append as well.
*/
static int terminal_append (lua_State *L) {
  size_t length;
  const char *path = luaL_checkstring(L, 1), *text = luaL_checklstring(L, 2, &length);
  int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600), saved;
  bool done = false;
  if (fd >= 0) {
    make_private(fd);
    done = write_all(fd, text, length);
  }
  saved = errno;
  if (fd >= 0) close(fd);
  errno = saved;
  return result_of(L, done, path);
}

/* terminal.make_folder(path), with those above it. */
static int terminal_make_folder (lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  char *copy = strdup(path);
  bool done;
  if (copy == NULL) args_no_memory(L);
  for (char *p = copy + 1; *p != '\0'; p++)
    if (*p == '/') {
      *p = '\0';
      mkdir(copy, 0700);
      *p = '/';
    }
  done = mkdir(copy, 0700) == 0 || errno == EEXIST;
  free(copy);
  return result_of(L, done, path);
}

static const luaL_Reg functions[] = {{"read", terminal_read},
                                     {"call", terminal_call},
                                     {"evaluate", terminal_evaluate},
                                     {"show", terminal_show},
                                     {"note", terminal_note},
                                     {"stop", terminal_stop},
                                     {"list", terminal_list},
                                     {"size", terminal_size},
                                     {"append", terminal_append},
                                     {"make_folder", terminal_make_folder},
                                     {NULL, NULL}};

/* Pushes the terminal; without an editor it has no `read`. */
static void push_terminal (lua_State *L, Session *s) {
  luaL_newlibtable(L, functions);
  lua_pushlightuserdata(L, s);
  luaL_setfuncs(L, functions, 1);
  if (s->editor == NULL) {
    lua_pushnil(L);
    lua_setfield(L, -2, "read");
  }
  lua_pushboolean(L, isatty(STDOUT_FILENO));
  lua_setfield(L, -2, "is_terminal");
  lua_pushboolean(L, sim_inside());
  lua_setfield(L, -2, "is_simulated");
}

/* (session) makes the Lua session and leaves it on the stack. In protected mode. */
static int open_session (lua_State *L) {
  Session *s = args_inner(L, 1);
  lua_module_push(L, "luasync.repl", "open");
  push_terminal(L, s);
  lua_call(L, 1, 1);
  return 1;
}

/*
** Runs the session at the top of the stack until the user leaves, whatever happens
** to its own code.
*/
static void run_session (lua_State *L) {
  int failures = 0;
  while (failures < FAILURES_MOST) {
    lua_getfield(L, -1, "step");
    lua_pushvalue(L, -2);
    if (lua_pcall(L, 1, 1, 0) == LUA_OK) {
      bool goes_on = lua_toboolean(L, -1);
      lua_pop(L, 1);
      if (!goes_on) return;
      failures = 0;
      continue;
    }
    failures++;
    fprintf(stderr, "%s\n", luaL_tolstring(L, -1, NULL));
    lua_pop(L, 2);
  }
}

static bool can_edit (void) {
  const char *term = getenv("TERM");
  return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && term != NULL && strcmp(term, "dumb") != 0;
}

void repl_run (lua_State *L) {
  static Session session;
  static const EditorHooks hooks = {&session,      hook_prompt, hook_recall,   hook_search,
                                    hook_complete, output_kept, output_waiting};
  atomic_int *awake = &thread_self->object.world->awake;
  int top = lua_gettop(L);
  struct sigaction old;
  luaL_checkstack(L, LUA_MINSTACK, NULL);
  session = (Session){.L = L};
  if (can_edit()) session.editor = editor_open(&hooks);
  catch_interrupt(&old);
  atomic_fetch_add(awake, 1); /* the user: no blocked call is hopeless, Ctrl-C ends it */
  sim_hush(true);
  atomic_store(&real_output, output_take);
  source_text_ask(entries_text);
  lua_pushcfunction(L, open_session);
  lua_pushlightuserdata(L, &session);
  if (lua_pcall(L, 1, 1, 0) == LUA_OK) run_session(L);
  else fprintf(stderr, "luasync: %s\n", lua_tostring(L, -1));
  atomic_store(&real_output, NULL);
  sim_hush(false);
  atomic_fetch_sub(awake, 1);
  sigaction(SIGINT, &old, NULL);
  if (session.editor != NULL) editor_close(session.editor);
  lua_settop(L, top);
}
