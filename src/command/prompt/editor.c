/*
** editor.c - the line editor, on libedit; no other file knows it.
**
** libedit draws and edits one buffer. What it does not do by itself is done
** around its character source (EL_GETCFN, here next_key), which it calls
** whenever it wants a key:
**
**  - Bytes are decoded here, escape sequences included, so that libedit sees one
**    code for each key and is always between two commands when it asks for one.
**  - Most commands are actions of ours (editor_actions.c): a function that changes the
**    buffer through libedit's calls, followed by libedit's own redrawing.
**  - Printing above the prompt: an action empties the buffer and the prompt, so
**    that libedit itself clears what it has drawn, however many rows that takes;
**    the text is printed; another action puts everything back.
**  - libedit draws no more rows than the screen has. An entry too tall for it is
**    shown through a window: the text above and below is kept aside.
*/
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <histedit.h>

#include "command/prompt/editor_actions.h"
#include "command/prompt/editor_undo.h"
#include "command/prompt/keys.h"
#include "command/prompt/wide_text.h"

#define OUTPUT_REST 15 /* ms between two rounds of output: keys and the eye need some */
#define TICK 250       /* ms: the prompt may have changed */

/*
** libedit is loaded when a prompt first opens: with the libraries it stands on
** it takes longer than all the rest of a program's start.
*/

#define FUNCTIONS(X) \
  X(el_cursor)       \
  X(el_deletestr)    \
  X(el_end) X(el_init) X(el_resize) X(el_wget) X(el_wgets) X(el_winsertstr) X(el_wline) X(el_wset)

#define FIELD(name) __typeof__(&(name)) name;
static struct { FUNCTIONS(FIELD) } lib; /* const after the first editor_open */

static bool load_libedit (void) {
  static const char *const files[] = {"libedit.so.2", "libedit.so.0", "libedit.so"};
  void *handle = NULL;
  for (size_t i = 0; handle == NULL && i < sizeof files / sizeof *files; i++)
    handle = dlopen(files[i], RTLD_NOW | RTLD_LOCAL);
  if (handle == NULL) return false;
#define LOAD(name) \
  if ((lib.name = (__typeof__(lib.name))dlsym(handle, #name)) == NULL) return false;
  FUNCTIONS(LOAD)
  return true;
}

/*
** Waking, from threads and signal handlers: a flag and a pipe.
*/

enum { SIGNAL_INTERRUPT = 1, SIGNAL_STOP = 2, SIGNAL_OTHER = 4 };

static int wake_pipe[2] = {-1, -1}; /* const after the first editor_open */
static atomic_uint signals;

void editor_wake (void) {
  int saved = errno;
  /* a full pipe is awake enough */
  if (wake_pipe[1] >= 0 && write(wake_pipe[1], "", 1) < 0) errno = saved;
  errno = saved;
}

static void signalled (unsigned what) {
  atomic_fetch_or(&signals, what);
  editor_wake();
}

void editor_interrupt (void) { signalled(SIGNAL_INTERRUPT); }

static void on_signal (int sig) { signalled(sig == SIGTSTP ? SIGNAL_STOP : SIGNAL_OTHER); }

static bool open_pipe (void) {
  return wake_pipe[0] >= 0 || pipe2(wake_pipe, O_CLOEXEC | O_NONBLOCK) == 0;
}

static void empty_pipe (void) {
  char bytes[256];
  while (read(wake_pipe[0], bytes, sizeof bytes) == (ssize_t)sizeof bytes) {}
}

/*
** The buffer.
*/

static const wchar_t *buffer_text (Editor *e) { return lib.el_wline(e->el)->buffer; }

static size_t buffer_length (Editor *e) {
  const LineInfoW *l = lib.el_wline(e->el);
  return (size_t)(l->lastchar - l->buffer);
}

static size_t buffer_cursor (Editor *e) {
  const LineInfoW *l = lib.el_wline(e->el);
  return (size_t)(l->cursor - l->buffer);
}

static void buffer_move (Editor *e, size_t position) {
  lib.el_cursor(e->el, (int)position - (int)buffer_cursor(e));
}

static void buffer_delete (Editor *e, size_t from, size_t to) {
  buffer_move(e, to);
  if (to > from) lib.el_deletestr(e->el, (int)(to - from));
}

static void buffer_insert (Editor *e, const wchar_t *text) {
  if (*text != L'\0') lib.el_winsertstr(e->el, text);
}

static const EditorBuffer buffer = {buffer_text, buffer_length, buffer_cursor,
                                    buffer_move, buffer_delete, buffer_insert};

/*
** The terminal.
*/

/* Asks the terminal for its size; returns whether it is another one. */
static bool look_at_size (Editor *e) {
  struct winsize size;
  int rows = 24, columns = 80;
  bool changed;
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) {
    if (size.ws_row > 0) rows = size.ws_row;
    if (size.ws_col > 1) columns = size.ws_col;
  }
  changed = rows != e->rows || columns != e->columns;
  e->rows = rows;
  e->columns = columns;
  return changed;
}

/*
** Signals.
*/

/* Where the terminal has wrapped the old rows anew, they take as many as the new width says. */
static void resize (Editor *e) {
  int column = editor_prompt_width(e),
      rows = wide_text_rows(buffer_text(e), buffer_cursor(e), e->columns, &column);
  fputs("\r", e->out);
  if (rows > 1) fprintf(e->out, "\033[%dA", rows - 1);
  fputs("\033[J", e->out);
  fflush(e->out);
  editor_fit_prompt(e);
  lib.el_resize(e->el);
  lib.el_wset(e->el, EL_REFRESH);
  editor_queue(e, editor_rewindow, 0);
}

/* What libedit has cleared, as a line that stays. */
static void put_cleared (Editor *e) {
  char *prompt = wide_text_to_bytes(e->prompt_text, wcslen(e->prompt_text)),
       *text = wide_text_to_bytes(e->saved, wcslen(e->saved));
  for (const char *p = prompt; *p != '\0'; p++)
    if (*p != 1) fputc(*p, e->out);
  fprintf(e->out, "%s\r\n", text);
  free(prompt);
  free(text);
}

/*
** Ctrl-Z: gives the terminal back for as long as the process is stopped. Nothing is
** drawn then, and the cursor may stand anywhere afterwards.
*/
static void stop (Editor *e) {
  e->stopping = false;
  put_cleared(e);
  fputs("\033[?2004l", e->out);
  fflush(e->out);
  lib.el_wset(e->el, EL_PREP_TERM, 0);
  signal(SIGTSTP, SIG_DFL);
  raise(SIGTSTP); /* not SIGSTOP: where nobody could wake us, the kernel lets us go on */
  signal(SIGTSTP, on_signal);
  if (look_at_size(e)) lib.el_resize(e->el);
  lib.el_wset(e->el, EL_PREP_TERM, 1);
  e->has_keys = false;
  fputs("\r\033[K\033[?2004h", e->out);
}

static void handle_signals (Editor *e, unsigned what) {
  if (what & SIGNAL_INTERRUPT) {
    if (e->searching) editor_end_search(e);
    editor_leave(e, LINE_INTERRUPTED);
  }
  else if (what & SIGNAL_STOP) {
    e->stopping = true;
    editor_queue(e, editor_blank, 0);
  }
}

/*
** The source of libedit's characters.
*/

static void print_output (Editor *e) {
  size_t length;
  const char *text = e->hooks.output(e->hooks.ud, &length);
  if (text != NULL) fwrite(text, 1, length, e->out);
  fflush(e->out);
  e->rested = keys_now() + OUTPUT_REST;
}

/* Waits for a key (true) or for anything else, dealt with here or by an action that is queued. */
static bool wait_for_key (Editor *e) {
  struct pollfd p[2] = {{.fd = STDIN_FILENO, .events = POLLIN},
                        {.fd = wake_pipe[0], .events = POLLIN}};
  int64_t rest = e->rested - keys_now();
  bool resting = rest > 0;
  unsigned what;
  poll(p, resting ? 1 : 2, resting ? (int)rest : TICK);
  if ((what = atomic_exchange(&signals, 0)) != 0) handle_signals(e, what);
  if (e->queued > 0) return false;
  if (look_at_size(e)) resize(e); /* SIGWINCH, or just before it */
  else if (p[0].revents != 0) return true;
  else if (resting) return false;
  else {
    empty_pipe();
    if (e->hooks.waiting(e->hooks.ud)) editor_queue(e, editor_blank, 0);
    else if (!e->searching && editor_ask_prompt(e)) editor_queue(e, editor_compose_prompt, 0);
  }
  return false;
}

static void next_action (Editor *e) {
  if (e->blank) {
    if (e->stopping) stop(e);
    print_output(e);
    editor_queue(e, editor_restore, 0);
  }
  else if (wait_for_key(e)) {
    int byte = keys_byte(0);
    if (byte == -2) editor_leave(e, LINE_EOF);
    else if (byte >= 0) editor_key(e, keys_char(byte));
  }
}

/*
** Ctrl-\ and Ctrl-Z become keys. As signals they have the terminal forget what has
** been typed and not yet read. libedit gives the terminal its old settings back.
*/
static void take_signal_keys (Editor *e) {
  struct termios settings;
  if (e->has_keys || tcgetattr(STDIN_FILENO, &settings) != 0) return;
  settings.c_cc[VQUIT] = settings.c_cc[VSUSP] = _POSIX_VDISABLE;
  e->has_keys = tcsetattr(STDIN_FILENO, TCSANOW, &settings) == 0;
}

static int next_key (EditLine *el, wchar_t *c) {
  Editor *e;
  lib.el_wget(el, EL_CLIENTDATA, &e);
  take_signal_keys(e);
  if (e->queued == 0 && !e->blank && !e->searching) editor_undo_note(e);
  if (e->queued == 0 && !e->blank && editor_must_rewindow(e)) editor_queue(e, editor_rewindow, 0);
  while (e->queued == 0) next_action(e);
  *c = e->queue[0];
  e->queue[0] = e->queue[1];
  e->queued--;
  return 1;
}

static wchar_t *prompt_hook (EditLine *el) {
  Editor *e;
  lib.el_wget(el, EL_CLIENTDATA, &e);
  return e->prompt;
}

static unsigned char do_action (EditLine *el, wint_t c) {
  Editor *e;
  (void)c;
  lib.el_wget(el, EL_CLIENTDATA, &e);
  e->action(e);
  return CC_REFRESH;
}

static unsigned char do_leave (EditLine *el, wint_t c) {
  (void)el;
  (void)c;
  return CC_EOF;
}

/*
** Opening and reading.
*/

static void bind_keys (EditLine *el) {
  static const struct {
    wchar_t code;
    const wchar_t *command;
  } codes[] = {{CODE_ACT, L"luasync-act"},
               {CODE_LEAVE, L"luasync-leave"},
               {CODE_PREV_WORD, L"ed-prev-word"},
               {CODE_NEXT_WORD, L"em-next-word"},
               {CODE_DELETE_WORD, L"em-delete-next-word"},
               {CODE_DELETE_CHAR, L"ed-delete-next-char"},
               {CODE_LEFT, L"ed-prev-char"},
               {CODE_RIGHT, L"ed-next-char"},
               {0x17, L"ed-delete-prev-word"},
               {0x7F, L"em-delete-prev-char"},
               {0x08, L"em-delete-prev-char"},
               {L'\n', L"ed-newline"}};
  lib.el_wset(el, EL_EDITOR, L"emacs");
  lib.el_wset(el, EL_ADDFN, L"luasync-act", L"does what was asked for", do_action);
  lib.el_wset(el, EL_ADDFN, L"luasync-leave", L"ends the reading", do_leave);
  for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
    wchar_t text[2] = {codes[i].code, L'\0'};
    lib.el_wset(el, EL_BIND, text, codes[i].command, NULL);
  }
}

static locale_t utf8_locale (void) {
  locale_t l = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
  return l != (locale_t)0 ? l : newlocale(LC_CTYPE_MASK, "", (locale_t)0);
}

Editor *editor_open (const EditorHooks *hooks) {
  Editor *e;
  locale_t old;
  int fd;
  if (!load_libedit() || !open_pipe()) return NULL;
  e = wide_text_must(calloc(1, sizeof *e));
  e->hooks = *hooks;
  e->buffer = &buffer;
  e->locale = utf8_locale();
  old = uselocale(e->locale);
  fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
  if (fd >= 0) e->out = fdopen(fd, "w");
  wide_text_set(&e->prompt, wide_text_copy(L"", 0));
  if (e->out != NULL) e->el = lib.el_init("luasync", stdin, e->out, e->out);
  if (e->el != NULL) {
    lib.el_wset(e->el, EL_CLIENTDATA, e);
    lib.el_wset(e->el, EL_PROMPT_ESC, prompt_hook, L'\1');
    lib.el_wset(e->el, EL_SIGNAL, 0);
    lib.el_wset(e->el, EL_GETCFN, next_key);
    bind_keys(e->el);
  }
  uselocale(old);
  if (e->el != NULL) return e;
  editor_close(e);
  return NULL;
}

void editor_close (Editor *e) {
  if (e->el != NULL) lib.el_end(e->el);
  if (e->out != NULL) fclose(e->out);
  if (e->locale != (locale_t)0) freelocale(e->locale);
  free(e->prompt);
  free(e->prompt_text);
  free(e->above);
  free(e->below);
  free(e->saved);
  free(e->accepted);
  free(e->draft);
  free(e->taken);
  editor_undo_clear(e);
  free(e);
}

static void begin (Editor *e, const char *initial, bool continued) {
  e->result = LINE_EOF;
  e->continued = continued;
  e->back = 0;
  e->searching = e->blank = e->stopping = false;
  e->rested = 0;
  e->queued = 0;
  e->has_keys = false;
  wide_text_set(&e->accepted, NULL);
  wide_text_set(&e->draft, wide_text_copy(L"", 0));
  wide_text_set(&e->above, wide_text_copy(L"", 0));
  wide_text_set(&e->below, wide_text_copy(L"", 0));
  editor_undo_clear(e);
  look_at_size(e);
  editor_ask_prompt(e);
  editor_compose_prompt(e);
  if (initial != NULL) editor_insert(e, wide_text_from(initial, strlen(initial)));
}

/* The signals that the editor takes; the session takes Ctrl-C. */
static const int caught[] = {SIGWINCH, SIGTSTP};

static void catch_signals (struct sigaction old[2]) {
  struct sigaction own = {.sa_handler = on_signal};
  for (int i = 0; i < 2; i++) sigaction(caught[i], &own, &old[i]);
}

static void release_signals (const struct sigaction old[2]) {
  for (int i = 0; i < 2; i++) sigaction(caught[i], &old[i], NULL);
}

EditorResult editor_read (Editor *e, const char *initial, bool continued, char **text) {
  locale_t old = uselocale(e->locale);
  struct sigaction before[2];
  int n;
  begin(e, initial, continued);
  atomic_store(&signals, 0);
  catch_signals(before);
  fputs("\033[?2004h", e->out);
  lib.el_wgets(e->el, &n);
  fputs("\033[?2004l", e->out);
  fflush(e->out);
  release_signals(before);
  uselocale(old);
  *text = e->accepted != NULL ? wide_text_to_bytes(e->accepted, wcslen(e->accepted)) : NULL;
  return e->result;
}
