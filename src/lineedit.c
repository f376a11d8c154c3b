/*
** lineedit.c - the line editor, on libedit; no other file knows it.
**
** libedit draws and edits one buffer. What it does not do by itself is done in
** its character source (EL_GETCFN, here next_key), which it calls whenever it
** wants a key:
**
**  - Bytes are decoded here, escape sequences included, so that libedit sees one
**    code for each key and is always between two commands when it asks for one.
**    Codes from C1 (U+0080..), which no keyboard sends, stand for commands.
**  - Most commands of ours are actions: a function that changes the buffer
**    through libedit's calls, followed by libedit's own redrawing (CODE_ACT).
**  - Printing above the prompt: an action empties the buffer and the prompt, so
**    that libedit itself clears what it has drawn, however many rows that takes;
**    the text is printed; another action puts everything back.
**  - libedit draws no more rows than the screen has. An entry too tall for it is
**    shown through a window: the text above and below is kept aside.
**
** Characters are wide inside. A byte that is not UTF-8 becomes U+DC00 + byte, as
** nothing else does, and turns back into itself at the end.
*/
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>
#include <wctype.h>

#include <histedit.h>

#include "lineedit.h"

#define BYTE_BASE 0xDC00          /* plus a byte 0x80.. that is not UTF-8 */
#define ESCAPE_WAIT 50            /* ms: a lone Escape is no sequence after that */
#define PASTE_WAIT 2000           /* ms: a paste whose end never comes */
#define OUTPUT_REST 15            /* ms between two rounds of output: keys and the eye need some */
#define TICK 250                  /* ms: the prompt may have changed */
#define PATTERN_MOST 80

enum { CODE_ACT = 0x80, CODE_LEAVE, CODE_PREV_WORD, CODE_NEXT_WORD, CODE_DELETE_WORD, CODE_DELETE_CHAR,
       CODE_LEFT, CODE_RIGHT };

typedef void (*Action) (LineEdit *e);

struct LineEdit {
  EditLine *el;
  FILE *out;
  LineHooks hooks;
  locale_t locale;
  wchar_t *prompt;                /* as drawn: L"" while blank */
  wchar_t *prompt_text;           /* as the hook gave it */
  wchar_t *above, *below;         /* the entry outside the window; never NULL while reading */
  wchar_t *saved;                 /* while blank: the buffer */
  int saved_cursor;
  bool blank;
  wchar_t queue[4];               /* codes libedit gets before any key */
  int queued;
  Action action;                  /* what CODE_ACT does */
  LineResult result;
  wchar_t *accepted;              /* the entry, once finished */
  bool continued;
  int back;                       /* the history entry shown; 0: none */
  wchar_t *draft;                 /* what was typed before the history was looked at */
  bool searching;
  wchar_t pattern[PATTERN_MOST + 1];
  int found;                      /* the entry the search has come to; 0: none */
  wchar_t *taken;                 /* what an action shall insert */
  int rows, columns;              /* of the terminal */
  int64_t rested;                 /* when the last output was printed, ms */
};

/*
** Waking, from threads and signal handlers: a flag and a pipe.
*/

enum { SIGNAL_INTERRUPT = 1, SIGNAL_RESIZE = 2, SIGNAL_STOP = 4 };

static int wake_pipe[2] = {-1, -1};   /* const after the first lineedit_open */
static atomic_uint signals;

void lineedit_wake (void) {
  int saved = errno;
  if (wake_pipe[1] >= 0 && write(wake_pipe[1], "", 1) < 0 && errno != EAGAIN) { /* the reader looks anyway, soon */ }
  errno = saved;
}

static void signalled (unsigned what) {
  atomic_fetch_or(&signals, what);
  lineedit_wake();
}

void lineedit_interrupt (void) {
  signalled(SIGNAL_INTERRUPT);
}

static void on_signal (int sig) {
  signalled(sig == SIGWINCH ? SIGNAL_RESIZE : SIGNAL_STOP);
}

static bool open_pipe (void) {
  return wake_pipe[0] >= 0 || pipe2(wake_pipe, O_CLOEXEC | O_NONBLOCK) == 0;
}

static void empty_pipe (void) {
  char bytes[256];
  while (read(wake_pipe[0], bytes, sizeof bytes) == (ssize_t)sizeof bytes) { }
}

/*
** Texts.
*/

static void *must (void *block) {
  if (block == NULL) { fputs("luasync: not enough memory for the line editor\n", stderr); abort(); }
  return block;
}

static wchar_t *copy (const wchar_t *text, size_t length) {
  wchar_t *new = must(malloc((length + 1) * sizeof *new));
  wmemcpy(new, text, length);
  new[length] = L'\0';
  return new;
}

static void set (wchar_t **variable, wchar_t *text) {
  free(*variable);
  *variable = text;
}

/* Decodes one character of n > 0 bytes; returns how many it takes, 0: more are needed. */
static size_t decode (const unsigned char *s, size_t n, wchar_t *c) {
  static const wchar_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  size_t size = s[0] < 0x80 ? 1 : s[0] < 0xC2 ? 0 : s[0] < 0xE0 ? 2 : s[0] < 0xF0 ? 3 : s[0] < 0xF5 ? 4 : 0;
  wchar_t value = size == 1 ? s[0] : (wchar_t)(s[0] & (0x7F >> size));
  for (size_t i = 1; i < size; i++) {
    if (i == n) return 0;
    if ((s[i] & 0xC0) != 0x80) size = 0;
    value = value << 6 | (s[i] & 0x3F);
  }
  if (size == 0 || value < least[size] || value > 0x10FFFF || (value >= 0xD800 && value < 0xE000)) {
    *c = BYTE_BASE + s[0];
    return 1;
  }
  *c = value;
  return size;
}

static wchar_t *widen (const char *text, size_t length) {
  wchar_t *new = must(malloc((length + 1) * sizeof *new));
  size_t n = 0;
  for (size_t i = 0; i < length; n++) {
    size_t used = decode((const unsigned char *)text + i, length - i, &new[n]);
    if (used == 0) { new[n] = BYTE_BASE + (unsigned char)text[i]; used = 1; }
    if (new[n] == L'\0') new[n] = 0xFFFD;       /* wide strings end at a zero */
    i += used;
  }
  new[n] = L'\0';
  return new;
}

static char *encode (char *to, wchar_t c) {
  if (c >= BYTE_BASE + 0x80 && c <= BYTE_BASE + 0xFF) *to++ = (char)(c - BYTE_BASE);
  else if (c < 0x80) *to++ = (char)c;
  else {
    int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    *to++ = (char)((0xF00 >> more & 0xFF) | c >> 6 * more);
    while (more-- > 0) *to++ = (char)(0x80 | (c >> 6 * more & 0x3F));
  }
  return to;
}

static char *narrow (const wchar_t *text, size_t length) {
  char *new = must(malloc(length * 4 + 1)), *end = new;
  for (size_t i = 0; i < length; i++) end = encode(end, text[i]);
  *end = '\0';
  return new;
}

static wchar_t *join (const wchar_t *a, const wchar_t *b, size_t b_length, const wchar_t *c) {
  size_t n = wcslen(a), m = wcslen(c);
  wchar_t *new = must(malloc((n + b_length + m + 1) * sizeof *new));
  wmemcpy(new, a, n);
  wmemcpy(new + n, b, b_length);
  wmemcpy(new + n + b_length, c, m + 1);
  return new;
}

static int count_lines (const wchar_t *text) {
  int n = 0;
  for (; *text != L'\0'; text++) n += *text == L'\n';
  return n;
}

/*
** The buffer.
*/

static size_t buffer_length (LineEdit *e) {
  const LineInfoW *l = el_wline(e->el);
  return (size_t)(l->lastchar - l->buffer);
}

static size_t cursor (LineEdit *e) {
  const LineInfoW *l = el_wline(e->el);
  return (size_t)(l->cursor - l->buffer);
}

static void move_to (LineEdit *e, size_t position) {
  el_cursor(e->el, (int)position - (int)cursor(e));
}

static void delete_range (LineEdit *e, size_t from, size_t to) {
  move_to(e, to);
  if (to > from) el_deletestr(e->el, (int)(to - from));
}

static void replace_buffer (LineEdit *e, const wchar_t *text, size_t position) {
  delete_range(e, 0, buffer_length(e));
  if (*text != L'\0') el_winsertstr(e->el, text);
  move_to(e, position);
}

/* The whole entry, and where the cursor stands in it. */
static wchar_t *entry (LineEdit *e, size_t *position) {
  const LineInfoW *l = el_wline(e->el);
  if (position != NULL) *position = wcslen(e->above) + cursor(e);
  return join(e->above, l->buffer, buffer_length(e), e->below);
}

static bool is_empty (LineEdit *e) {
  return buffer_length(e) == 0 && *e->above == L'\0' && *e->below == L'\0';
}

/* The beginning and the end of the line the position is in. */
static size_t line_start (const wchar_t *text, size_t position) {
  while (position > 0 && text[position - 1] != L'\n') position--;
  return position;
}

static size_t line_end (const wchar_t *text, size_t position, size_t length) {
  while (position < length && text[position] != L'\n') position++;
  return position;
}

/*
** Rows on the screen, by libedit's rules.
*/

static int char_width (wchar_t c, int column) {
  int width;
  if (c == L'\t') return 8 - column % 8;
  if (c < 0x20 || c == 0x7F) return 2;
  width = iswprint((wint_t)c) ? wcwidth(c) : c > 0xFFFF ? 9 : 8;
  return width < 0 ? 0 : width;
}

/* The rows that n characters take behind `column`, 1 at least; *column is where they end. */
static int rows_of (LineEdit *e, const wchar_t *text, size_t n, int *column) {
  int rows = 1, at = *column;
  for (size_t i = 0; i < n; i++) {
    int width = char_width(text[i], at);
    if (text[i] == L'\n') { rows++; at = 0; continue; }
    if (at + width > e->columns && width <= 2) { rows++; at = 0; }
    at += width;
    while (at >= e->columns) { rows++; at -= e->columns; }
  }
  *column = at;
  return rows;
}

static int prompt_width (LineEdit *e) {
  int width = 0;
  bool hidden = false;
  for (const wchar_t *p = e->prompt; *p != L'\0'; p++) {
    if (*p == 1) hidden = !hidden;
    else if (!hidden) width += char_width(*p, width);
  }
  return width;
}

static void look_at_size (LineEdit *e) {
  struct winsize size;
  e->rows = 24;
  e->columns = 80;
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return;
  if (size.ws_row > 0) e->rows = size.ws_row;
  if (size.ws_col > 1) e->columns = size.ws_col;
}

/*
** The prompt, and the window.
*/

static wchar_t *prompt_hook (EditLine *el) {
  LineEdit *e;
  el_wget(el, EL_CLIENTDATA, &e);
  return e->prompt;
}

/* Composes the prompt as it is to be drawn now. */
static void compose_prompt (LineEdit *e) {
  wchar_t text[160];
  int above = count_lines(e->above), below = count_lines(e->below);
  if (e->searching) {
    swprintf(text, 160, L"(search%ls) '%ls': ", e->found == 0 && *e->pattern != L'\0' ? L", nothing" : L"", e->pattern);
    set(&e->prompt, copy(text, wcslen(text)));
  }
  else if (*e->above != L'\0' || *e->below != L'\0') {
    swprintf(text, 160, L"(%d more lines above, %d below)\n", above, below);
    set(&e->prompt, join(text, e->prompt_text, wcslen(e->prompt_text), L""));
  }
  else set(&e->prompt, copy(e->prompt_text, wcslen(e->prompt_text)));
}

/* Asks for the prompt again; returns whether it is another one. */
static bool ask_prompt (LineEdit *e) {
  const char *asked = e->hooks.prompt(e->hooks.ud);
  wchar_t *text = widen(asked, strlen(asked));
  bool changed = e->prompt_text == NULL || wcscmp(text, e->prompt_text) != 0;
  set(&e->prompt_text, text);
  return changed;
}

static int rows_for_entry (LineEdit *e) {
  return e->rows > 5 ? e->rows - 3 : 2;
}

/* Widens [*from, *to) line by line around the cursor's line while it fits. */
static void choose_lines (LineEdit *e, const wchar_t *text, size_t length, size_t *from, size_t *to) {
  bool up = true, down = true;
  int column = prompt_width(e), rows = rows_of(e, text + *from, *to - *from, &column);
  while (up || down) {
    size_t start = *from > 0 ? line_start(text, *from - 1) : 0;
    size_t end = *to < length ? line_end(text, *to + 1, length) : length;
    column = prompt_width(e);
    int more_up = rows_of(e, text + start, *from - start, &column) - 1;
    column = 0;
    int more_down = rows_of(e, text + *to, end - *to, &column) - 1;
    up = *from > 0 && rows + more_up <= rows_for_entry(e);
    if (up) { *from = start; rows += more_up; }
    down = *to < length && rows + more_down <= rows_for_entry(e);
    if (down) { *to = end; rows += more_down; }
  }
}

/* The part of the entry to be shown: whole lines, or a piece of one line that is taller than the screen. */
static void choose_window (LineEdit *e, const wchar_t *text, size_t position, size_t *from, size_t *to) {
  size_t length = wcslen(text), half = (size_t)rows_for_entry(e) * (size_t)e->columns / 4;
  int column = prompt_width(e);
  *from = line_start(text, position);
  *to = line_end(text, position, length);
  if (rows_of(e, text + *from, *to - *from, &column) <= rows_for_entry(e)) choose_lines(e, text, length, from, to);
  else {
    if (position - *from > half) *from = position - half;
    if (*to - position > half) *to = position + half;
  }
}

/* Shows `text` with the cursor at `position`. */
static void show (LineEdit *e, const wchar_t *text, size_t position) {
  size_t from, to;
  wchar_t *shown;
  choose_window(e, text, position, &from, &to);
  shown = copy(text + from, to - from);
  set(&e->above, copy(text, from));
  set(&e->below, copy(text + to, wcslen(text + to)));
  replace_buffer(e, shown, position - from);
  free(shown);
  compose_prompt(e);
}

static void show_all (LineEdit *e, const wchar_t *text) {
  show(e, text, wcslen(text));
}

static void rewindow (LineEdit *e) {
  size_t position;
  wchar_t *text = entry(e, &position);
  show(e, text, position);
  free(text);
}

/* Does the window no longer suit the entry? */
static bool must_rewindow (LineEdit *e) {
  const LineInfoW *l = el_wline(e->el);
  size_t n = buffer_length(e), at = cursor(e);
  int column = prompt_width(e);
  if (rows_of(e, l->buffer, n, &column) > rows_for_entry(e)) return true;
  if (*e->above != L'\0' && line_start(l->buffer, at) == 0) return true;
  return *e->below != L'\0' && line_end(l->buffer, at, n) == n;
}

/*
** Actions.
*/

/* Has libedit do `action` next, then `code` (0: nothing more). */
static void act (LineEdit *e, Action action, wchar_t code) {
  e->action = action;
  e->queue[0] = CODE_ACT;
  e->queue[1] = code;
  e->queued = code != 0 ? 2 : 1;
}

static void redraw (LineEdit *e) {
  compose_prompt(e);
}

static void blank (LineEdit *e) {
  const LineInfoW *l = el_wline(e->el);
  e->saved_cursor = (int)cursor(e);
  set(&e->saved, copy(l->buffer, buffer_length(e)));
  replace_buffer(e, L"", 0);
  set(&e->prompt, copy(L"", 0));
  e->blank = true;
}

static void restore (LineEdit *e) {
  e->blank = false;
  replace_buffer(e, e->saved, (size_t)e->saved_cursor);
  compose_prompt(e);
}

/* The entry is finished: keep it, and leave the cursor at the end of what is drawn. */
static void finish (LineEdit *e) {
  set(&e->accepted, entry(e, NULL));
  e->searching = false;
  compose_prompt(e);
  move_to(e, buffer_length(e));
  if (e->result == LINE_INTERRUPTED) el_winsertstr(e->el, L"^C");
}

static void leave (LineEdit *e, LineResult result) {
  e->result = result;
  act(e, finish, L'\n');
}

/* Leaves without a trace of the line on the screen. */
static void vanish (LineEdit *e) {
  set(&e->accepted, entry(e, NULL));
  replace_buffer(e, L"", 0);
  set(&e->prompt, copy(L"", 0));
}

static void insert_taken (LineEdit *e) {
  el_winsertstr(e->el, e->taken);
  rewindow(e);
}

static void insert (LineEdit *e, wchar_t *text) {
  set(&e->taken, text);
  if (*text != L'\0') act(e, insert_taken, 0);
}

/*
** Moving among lines and in the history.
*/

static void recall (LineEdit *e, int back) {
  const char *old = back > 0 ? e->hooks.recall(e->hooks.ud, back) : NULL;
  wchar_t *text;
  if (back > 0 && old == NULL) return;
  if (e->back == 0) set(&e->draft, entry(e, NULL));
  text = old != NULL ? widen(old, strlen(old)) : copy(e->draft, wcslen(e->draft));
  e->back = back;
  show_all(e, text);
  free(text);
}

static void recall_older (LineEdit *e) { recall(e, e->back + 1); }
static void recall_newer (LineEdit *e) { if (e->back > 0) recall(e, e->back - 1); }

static void line_up (LineEdit *e) {
  const LineInfoW *l = el_wline(e->el);
  size_t start = line_start(l->buffer, cursor(e)), column = cursor(e) - start;
  size_t above = line_start(l->buffer, start - 1);
  move_to(e, above + column < start ? above + column : start - 1);
}

static void line_down (LineEdit *e) {
  const LineInfoW *l = el_wline(e->el);
  size_t n = buffer_length(e), start = line_start(l->buffer, cursor(e));
  size_t below = line_end(l->buffer, cursor(e), n) + 1, end = line_end(l->buffer, below, n);
  size_t wanted = below + (cursor(e) - start);
  move_to(e, wanted < end ? wanted : end);
}

static void key_up (LineEdit *e) {
  const LineInfoW *l = el_wline(e->el);
  if (line_start(l->buffer, cursor(e)) > 0) act(e, line_up, 0);
  else if (e->continued && e->back == 0) {
    e->result = LINE_BACK;
    act(e, vanish, CODE_LEAVE);
  }
  else act(e, recall_older, 0);
}

static void key_down (LineEdit *e) {
  const LineInfoW *l = el_wline(e->el);
  size_t n = buffer_length(e);
  act(e, line_end(l->buffer, cursor(e), n) < n ? line_down : recall_newer, 0);
}

static void to_start (LineEdit *e) { move_to(e, line_start(el_wline(e->el)->buffer, cursor(e))); }

static void to_end (LineEdit *e) {
  move_to(e, line_end(el_wline(e->el)->buffer, cursor(e), buffer_length(e)));
}

static void kill_to_end (LineEdit *e) {
  size_t at = cursor(e), end = line_end(el_wline(e->el)->buffer, at, buffer_length(e));
  if (end == at && end < buffer_length(e)) end++;       /* at the end: the line break itself */
  delete_range(e, at, end);
}

static void kill_to_start (LineEdit *e) {
  delete_range(e, line_start(el_wline(e->el)->buffer, cursor(e)), cursor(e));
}

static void complete (LineEdit *e) {
  size_t position;
  wchar_t *all = entry(e, &position);
  char *text = narrow(all, wcslen(all)), *before = narrow(all, position);
  const char *more = e->hooks.complete(e->hooks.ud, text, strlen(before));
  if (more != NULL && *more != '\0') {
    wchar_t *wide = widen(more, strlen(more));
    el_winsertstr(e->el, wide);
    free(wide);
  }
  free(all);
  free(text);
  free(before);
}

/*
** Searching the history (Ctrl-R).
*/

static void search_from (LineEdit *e, int back) {
  char *pattern = narrow(e->pattern, wcslen(e->pattern));
  int found = *pattern != '\0' ? e->hooks.search(e->hooks.ud, pattern, back) : 0;
  const char *text = found > 0 ? e->hooks.recall(e->hooks.ud, found) : NULL;
  if (text != NULL) {
    wchar_t *wide = widen(text, strlen(text)), *at = wcsstr(wide, e->pattern);
    e->found = found;
    show(e, wide, at != NULL ? (size_t)(at - wide) : 0);
    free(wide);
  }
  else if (back <= 1) e->found = 0;
  free(pattern);
  compose_prompt(e);
}

static void search_more (LineEdit *e) { search_from(e, e->found > 0 ? e->found + 1 : 1); }
static void search_again (LineEdit *e) { search_from(e, 1); }

static void begin_search (LineEdit *e) {
  set(&e->draft, entry(e, NULL));
  e->searching = true;
  e->found = 0;
  e->back = 0;
  *e->pattern = L'\0';
  compose_prompt(e);
}

static void end_search (LineEdit *e) {
  e->searching = false;
  e->back = e->found;
  compose_prompt(e);
}

static void cancel_search (LineEdit *e) {
  e->found = 0;
  end_search(e);
  show_all(e, e->draft);
}

/* A key while searching; false: the search is over and the key means what it always does. */
static bool search_key (LineEdit *e, wchar_t c) {
  size_t n = wcslen(e->pattern);
  if (c == 0x12) act(e, search_more, 0);
  else if (c == 0x07) act(e, cancel_search, 0);
  else if ((c == 0x7F || c == 0x08) && n > 0) {
    e->pattern[n - 1] = L'\0';
    act(e, search_again, 0);
  }
  else if (c >= 0x20 && c != 0x7F && n < PATTERN_MOST) {
    e->pattern[n] = c;
    e->pattern[n + 1] = L'\0';
    act(e, search_again, 0);
  }
  else return false;
  return true;
}

/*
** Input.
*/

static int64_t now_ms (void) {
  struct timespec ts;
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* One byte from the terminal within `ms`; -1: nothing came, -2: it is gone. One at a time: what follows may be a program's. */
static int read_byte (int ms) {
  struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
  unsigned char byte;
  ssize_t n;
  int64_t until = now_ms() + ms;
  for (;;) {
    int64_t left = until - now_ms();
    if (poll(&p, 1, left > 0 ? (int)left : 0) <= 0) {
      if (left <= 0) return -1;
      continue;
    }
    n = read(STDIN_FILENO, &byte, 1);
    if (n == 1) return byte;
    if (n == 0 || (errno != EINTR && errno != EAGAIN)) return -2;
  }
}

/* The rest of a character that begins with `first`. */
static wchar_t read_char (int first) {
  unsigned char bytes[4] = {(unsigned char)first};
  size_t n = 1;
  wchar_t c;
  while (decode(bytes, n, &c) == 0) {
    int next = read_byte(ESCAPE_WAIT);
    if (next < 0) return BYTE_BASE + first;
    bytes[n++] = (unsigned char)next;
  }
  return c;
}

/* Bytes up to the end of a bracketed paste. */
static char *read_paste (size_t *length) {
  static const char end[] = "\033[201~";
  size_t size = 4096, n = 0, mark = sizeof end - 1;
  char *text = must(malloc(size));
  int byte;
  while ((byte = read_byte(PASTE_WAIT)) >= 0) {
    if (n == size) text = must(realloc(text, size *= 2));
    text[n++] = (char)byte;
    if (n >= mark && memcmp(text + n - mark, end, mark) == 0) { n -= mark; break; }
  }
  *length = n;
  return text;
}

/* Line ends become \n; the last ones go, so that Enter is the user's. */
static void paste (LineEdit *e) {
  size_t length, n = 0;
  char *text = read_paste(&length), previous = 0;
  for (size_t i = 0; i < length; i++) {
    char c = text[i];
    if (c != '\n' || previous != '\r') text[n++] = c == '\r' ? '\n' : c;
    previous = c;
  }
  while (n > 0 && text[n - 1] == '\n') n--;
  insert(e, widen(text, n));
  free(text);
}

typedef struct Sequence {
  const char *text;               /* behind Escape */
  Action action;                  /* NULL: the code */
  void (*key) (LineEdit *e);      /* decides what to do */
  wchar_t code;
} Sequence;

static const Sequence sequences[] = {
  {"[A", NULL, key_up, 0}, {"OA", NULL, key_up, 0}, {"[B", NULL, key_down, 0}, {"OB", NULL, key_down, 0},
  {"[C", NULL, NULL, CODE_RIGHT}, {"OC", NULL, NULL, CODE_RIGHT},
  {"[D", NULL, NULL, CODE_LEFT}, {"OD", NULL, NULL, CODE_LEFT},
  {"[H", to_start, NULL, 0}, {"OH", to_start, NULL, 0}, {"[1~", to_start, NULL, 0}, {"[7~", to_start, NULL, 0},
  {"[F", to_end, NULL, 0}, {"OF", to_end, NULL, 0}, {"[4~", to_end, NULL, 0}, {"[8~", to_end, NULL, 0},
  {"[3~", NULL, NULL, CODE_DELETE_CHAR}, {"[200~", NULL, paste, 0},
  {"[1;5C", NULL, NULL, CODE_NEXT_WORD}, {"[1;5D", NULL, NULL, CODE_PREV_WORD},
  {"[1;3C", NULL, NULL, CODE_NEXT_WORD}, {"[1;3D", NULL, NULL, CODE_PREV_WORD},
  {"f", NULL, NULL, CODE_NEXT_WORD}, {"b", NULL, NULL, CODE_PREV_WORD}, {"d", NULL, NULL, CODE_DELETE_WORD},
  {"\177", NULL, NULL, 0x17}, {"\b", NULL, NULL, 0x17},
  {NULL, NULL, NULL, 0}
};

static void send (LineEdit *e, wchar_t code) {
  e->queue[0] = code;
  e->queued = 1;
}

/* What follows an Escape. */
static void key_escape (LineEdit *e) {
  char text[16];
  size_t n = 0;
  int byte = read_byte(ESCAPE_WAIT);
  if (byte < 0) return;
  text[n++] = (char)byte;
  if (byte == '\r' || byte == '\n') { insert(e, copy(L"\n", 1)); return; }
  if (byte == '[' || byte == 'O')
    while (n + 1 < sizeof text && (byte = read_byte(ESCAPE_WAIT)) >= 0) {
      text[n++] = (char)byte;
      if (byte >= 0x40 && byte <= 0x7E) break;
    }
  text[n] = '\0';
  for (const Sequence *s = sequences; s->text != NULL; s++) {
    if (strcmp(s->text, text) != 0) continue;
    if (s->key != NULL) s->key(e);
    else if (s->action != NULL) act(e, s->action, 0);
    else send(e, s->code);
    return;
  }
}

static void key_end_of_file (LineEdit *e) {
  if (is_empty(e)) leave(e, LINE_EOF);
  else send(e, CODE_DELETE_CHAR);
}

/* Keys that libedit knows by itself and that read no further ones: those of Emacs. */
static bool is_plain_key (wchar_t c) {
  return c >= 0x20 || c == 0x02 || c == 0x06 || c == 0x08 || c == 0x0C || c == 0x14 || c == 0x17 || c == 0x19;
}

static void key (LineEdit *e, wchar_t c) {
  if (e->searching) {
    if (search_key(e, c)) return;
    end_search(e);
  }
  switch (c) {
    case 0x01: act(e, to_start, 0); break;
    case 0x03: leave(e, LINE_INTERRUPTED); break;
    case 0x04: key_end_of_file(e); break;
    case 0x05: act(e, to_end, 0); break;
    case 0x09: act(e, complete, 0); break;
    case 0x0A: case 0x0D: leave(e, LINE_TEXT); break;
    case 0x0B: act(e, kill_to_end, 0); break;
    case 0x0E: key_down(e); break;
    case 0x10: key_up(e); break;
    case 0x12: act(e, begin_search, 0); break;
    case 0x15: act(e, kill_to_start, 0); break;
    case 0x1B: key_escape(e); break;
    default:
      if (c >= 0x80 && c <= 0x9F) insert(e, copy(L"\uFFFD", 1));
      else if (is_plain_key(c)) send(e, c);
  }
}

/*
** Signals.
*/

/* Where the terminal has wrapped the old rows anew, they take as many as the new width says. */
static void resize (LineEdit *e) {
  int column, rows;
  look_at_size(e);
  column = prompt_width(e);
  rows = rows_of(e, el_wline(e->el)->buffer, cursor(e), &column) + (wcschr(e->prompt, L'\n') != NULL);
  fputs("\r", e->out);
  if (rows > 1) fprintf(e->out, "\033[%dA", rows - 1);
  fputs("\033[J", e->out);
  fflush(e->out);
  el_resize(e->el);
  el_wset(e->el, EL_REFRESH);
  act(e, rewindow, 0);
}

/* Ctrl-Z: gives the terminal back for as long as the process is stopped. */
static void stop (LineEdit *e) {
  fputs("\033[?2004l", e->out);
  fflush(e->out);
  el_wset(e->el, EL_PREP_TERM, 0);
  raise(SIGSTOP);
  look_at_size(e);
  el_wset(e->el, EL_PREP_TERM, 1);
  fputs("\033[?2004h", e->out);
}

static void handle_signals (LineEdit *e, unsigned what) {
  if (what & SIGNAL_INTERRUPT) {
    if (e->searching) end_search(e);
    leave(e, LINE_INTERRUPTED);
  }
  else if (what & SIGNAL_STOP) {
    stop(e);
    act(e, rewindow, 0);
  }
  else if (what & SIGNAL_RESIZE) resize(e);
}

/*
** The source of libedit's characters.
*/

static void print_output (LineEdit *e) {
  size_t length;
  const char *text = e->hooks.output(e->hooks.ud, &length);
  if (text != NULL) fwrite(text, 1, length, e->out);
  fflush(e->out);
  e->rested = now_ms() + OUTPUT_REST;
}

/* Waits for a key (true) or for anything else, dealt with here or by an action that is queued. */
static bool wait_for_key (LineEdit *e) {
  struct pollfd p[2] = {{.fd = STDIN_FILENO, .events = POLLIN}, {.fd = wake_pipe[0], .events = POLLIN}};
  int64_t rest = e->rested - now_ms();
  bool resting = rest > 0;
  unsigned what;
  poll(p, resting ? 1 : 2, resting ? (int)rest : TICK);
  if ((what = atomic_exchange(&signals, 0)) != 0) handle_signals(e, what);
  else if (p[0].revents != 0) return true;
  else if (resting) return false;
  else {
    empty_pipe();
    if (e->hooks.waiting(e->hooks.ud)) act(e, blank, 0);
    else if (!e->searching && ask_prompt(e)) act(e, redraw, 0);
  }
  return false;
}

static void next_action (LineEdit *e) {
  if (e->blank) {
    print_output(e);
    act(e, restore, 0);
  }
  else if (wait_for_key(e)) {
    int byte = read_byte(0);
    if (byte == -2) leave(e, LINE_EOF);
    else if (byte >= 0) key(e, read_char(byte));
  }
}

static int next_key (EditLine *el, wchar_t *c) {
  LineEdit *e;
  el_wget(el, EL_CLIENTDATA, &e);
  if (e->queued == 0 && !e->blank && must_rewindow(e)) act(e, rewindow, 0);
  while (e->queued == 0) next_action(e);
  *c = e->queue[0];
  e->queue[0] = e->queue[1];
  e->queued--;
  return 1;
}

static unsigned char do_action (EditLine *el, wint_t c) {
  LineEdit *e;
  (void)c;
  el_wget(el, EL_CLIENTDATA, &e);
  e->action(e);
  return CC_REFRESH;
}

static unsigned char do_leave (EditLine *el, wint_t c) {
  (void)el; (void)c;
  return CC_EOF;
}

/*
** Opening and reading.
*/

static void bind_keys (EditLine *el) {
  static const struct { wchar_t code; const wchar_t *command; } codes[] = {
    {CODE_ACT, L"luasync-act"}, {CODE_LEAVE, L"luasync-leave"},
    {CODE_PREV_WORD, L"ed-prev-word"}, {CODE_NEXT_WORD, L"em-next-word"}, {CODE_DELETE_WORD, L"em-delete-next-word"},
    {CODE_DELETE_CHAR, L"ed-delete-next-char"}, {CODE_LEFT, L"ed-prev-char"}, {CODE_RIGHT, L"ed-next-char"},
    {0x17, L"ed-delete-prev-word"}, {0x7F, L"em-delete-prev-char"}, {0x08, L"em-delete-prev-char"},
    {L'\n', L"ed-newline"}
  };
  el_wset(el, EL_EDITOR, L"emacs");
  el_wset(el, EL_ADDFN, L"luasync-act", L"does what was asked for", do_action);
  el_wset(el, EL_ADDFN, L"luasync-leave", L"ends the reading", do_leave);
  for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
    wchar_t text[2] = {codes[i].code, L'\0'};
    el_wset(el, EL_BIND, text, codes[i].command, NULL);
  }
}

static locale_t utf8_locale (void) {
  locale_t l = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
  return l != (locale_t)0 ? l : newlocale(LC_CTYPE_MASK, "", (locale_t)0);
}

LineEdit *lineedit_open (const LineHooks *hooks) {
  LineEdit *e;
  locale_t old;
  int fd;
  if (!open_pipe()) return NULL;
  e = must(calloc(1, sizeof *e));
  e->hooks = *hooks;
  e->locale = utf8_locale();
  old = uselocale(e->locale);
  fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
  if (fd >= 0) e->out = fdopen(fd, "w");
  set(&e->prompt, copy(L"", 0));
  if (e->out != NULL) e->el = el_init("luasync", stdin, e->out, e->out);
  if (e->el != NULL) {
    el_wset(e->el, EL_CLIENTDATA, e);
    el_wset(e->el, EL_PROMPT_ESC, prompt_hook, L'\1');
    el_wset(e->el, EL_SIGNAL, 0);
    el_wset(e->el, EL_GETCFN, next_key);
    bind_keys(e->el);
  }
  uselocale(old);
  if (e->el != NULL) return e;
  lineedit_close(e);
  return NULL;
}

void lineedit_close (LineEdit *e) {
  if (e->el != NULL) el_end(e->el);
  if (e->out != NULL) fclose(e->out);
  if (e->locale != (locale_t)0) freelocale(e->locale);
  free(e->prompt); free(e->prompt_text); free(e->above); free(e->below); free(e->saved);
  free(e->accepted); free(e->draft); free(e->taken);
  free(e);
}

static void begin (LineEdit *e, const char *initial, bool continued) {
  e->result = LINE_EOF;
  e->continued = continued;
  e->back = 0;
  e->searching = e->blank = false;
  e->rested = 0;
  e->queued = 0;
  set(&e->accepted, NULL);
  set(&e->draft, copy(L"", 0));
  set(&e->above, copy(L"", 0));
  set(&e->below, copy(L"", 0));
  look_at_size(e);
  ask_prompt(e);
  compose_prompt(e);
  if (initial != NULL) insert(e, widen(initial, strlen(initial)));
}

static void catch_signals (const struct sigaction *new, struct sigaction old[2]) {
  sigaction(SIGWINCH, new != NULL ? new : &old[0], new != NULL ? &old[0] : NULL);
  sigaction(SIGTSTP, new != NULL ? new : &old[1], new != NULL ? &old[1] : NULL);
}

LineResult lineedit_read (LineEdit *e, const char *initial, bool continued, char **text) {
  locale_t old = uselocale(e->locale);
  struct sigaction own = {.sa_handler = on_signal}, before[2];
  int n;
  begin(e, initial, continued);
  atomic_store(&signals, 0);
  catch_signals(&own, before);
  fputs("\033[?2004h", e->out);
  el_wgets(e->el, &n);
  fputs("\033[?2004l", e->out);
  fflush(e->out);
  catch_signals(NULL, before);
  uselocale(old);
  *text = e->accepted != NULL ? narrow(e->accepted, wcslen(e->accepted)) : NULL;
  return e->result;
}
