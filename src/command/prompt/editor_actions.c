/*
** editor_actions.c - what the keys do: lines and the window on them, the history, the
** search, the prompt.
*/
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command/prompt/editor_actions.h"
#include "command/prompt/editor_undo.h"
#include "command/prompt/keys.h"
#include "command/prompt/wide_text.h"

void editor_replace_buffer (Editor *e, const wchar_t *text, size_t position) {
  e->buffer->erase(e, 0, e->buffer->length(e));
  e->buffer->insert(e, text);
  e->buffer->move(e, position);
}

wchar_t *editor_entry (Editor *e, size_t *position) {
  if (position != NULL) *position = wcslen(e->above) + e->buffer->cursor(e);
  return wide_text_join(e->above, e->buffer->text(e), e->buffer->length(e), e->below);
}

static bool is_empty (Editor *e) {
  return e->buffer->length(e) == 0 && *e->above == L'\0' && *e->below == L'\0';
}

int editor_prompt_width (Editor *e) {
  int width = 0;
  bool hidden = false;
  for (const wchar_t *p = e->prompt; *p != L'\0'; p++) {
    if (*p == 1) hidden = !hidden;
    else if (!hidden) width += wide_text_char_width(*p, width);
  }
  return width;
}

/*
** The prompt, and the window.
*/

void editor_compose_prompt (Editor *e) {
  wchar_t text[160];
  int above = wide_text_lines(e->above), below = wide_text_lines(e->below);
  if (e->searching) {
    swprintf(text, 160, L"(search%ls) '%ls': ",
             e->found == 0 && *e->pattern != L'\0' ? L", nothing" : L"", e->pattern);
    wide_text_set(&e->prompt, wide_text_copy(text, wcslen(text)));
  }
  else if (*e->above != L'\0' || *e->below != L'\0') {
    swprintf(text, 160, L"(%d above, %d below) ", above, below);
    wide_text_set(&e->prompt, wide_text_join(text, e->prompt_text, wcslen(e->prompt_text), L""));
  }
  else wide_text_set(&e->prompt, wide_text_copy(e->prompt_text, wcslen(e->prompt_text)));
  editor_fit_prompt(e);
}

/*
** libedit aborts when a prompt without colours replaces one with colours that goes
** over more than a row.
*/
void editor_fit_prompt (Editor *e) {
  wchar_t *to = e->prompt;
  bool hidden = false;
  if (editor_prompt_width(e) < e->columns) return;
  for (const wchar_t *from = e->prompt; *from != L'\0'; from++) {
    if (*from == 1) hidden = !hidden;
    else if (!hidden) *to++ = *from;
  }
  *to = L'\0';
}

bool editor_ask_prompt (Editor *e) {
  const char *asked = e->hooks.prompt(e->hooks.ud);
  wchar_t *text = wide_text_from(asked, strlen(asked));
  bool changed = e->prompt_text == NULL || wcscmp(text, e->prompt_text) != 0;
  wide_text_set(&e->prompt_text, text);
  return changed;
}

static int rows_for_entry (Editor *e) { return e->rows > 5 ? e->rows - 3 : 2; }

/* Widens [*from, *to) line by line around the cursor's line while it fits. */
static void choose_lines (Editor *e, const wchar_t *text, size_t length, size_t *from, size_t *to) {
  bool up = true, down = true;
  int column = editor_prompt_width(e),
      rows = wide_text_rows(text + *from, *to - *from, e->columns, &column);
  while (up || down) {
    size_t start = *from > 0 ? wide_text_line_start(text, *from - 1) : 0;
    size_t end = *to < length ? wide_text_line_end(text, *to + 1, length) : length;
    column = editor_prompt_width(e);
    int more_up = wide_text_rows(text + start, *from - start, e->columns, &column) - 1;
    column = 0;
    int more_down = wide_text_rows(text + *to, end - *to, e->columns, &column) - 1;
    up = *from > 0 && rows + more_up <= rows_for_entry(e);
    if (up) {
      *from = start;
      rows += more_up;
    }
    down = *to < length && rows + more_down <= rows_for_entry(e);
    if (down) {
      *to = end;
      rows += more_down;
    }
  }
}

/*
** The part of the entry to be shown: whole lines, or a piece of one line that is
** taller than the screen.
*/
static void choose_window (Editor *e, const wchar_t *text, size_t position, size_t *from,
                           size_t *to) {
  size_t length = wcslen(text), half = (size_t)rows_for_entry(e) * (size_t)e->columns / 4;
  int column = editor_prompt_width(e);
  *from = wide_text_line_start(text, position);
  *to = wide_text_line_end(text, position, length);
  if (wide_text_rows(text + *from, *to - *from, e->columns, &column) <= rows_for_entry(e))
    choose_lines(e, text, length, from, to);
  else {
    if (position - *from > half) *from = position - half;
    if (*to - position > half) *to = position + half;
  }
}

void editor_show (Editor *e, const wchar_t *text, size_t position) {
  size_t from, to;
  wchar_t *shown;
  choose_window(e, text, position, &from, &to);
  shown = wide_text_copy(text + from, to - from);
  wide_text_set(&e->above, wide_text_copy(text, from));
  wide_text_set(&e->below, wide_text_copy(text + to, wcslen(text + to)));
  editor_replace_buffer(e, shown, position - from);
  free(shown);
  editor_compose_prompt(e);
  e->fitted = true;
}

static void show_all (Editor *e, const wchar_t *text) { editor_show(e, text, wcslen(text)); }

void editor_rewindow (Editor *e) {
  size_t position;
  wchar_t *text = editor_entry(e, &position);
  editor_show(e, text, position);
  free(text);
}

bool editor_must_rewindow (Editor *e) {
  if (e->fitted) return false;
  size_t n = e->buffer->length(e), at = e->buffer->cursor(e);
  int column = editor_prompt_width(e);
  if (wide_text_rows(e->buffer->text(e), n, e->columns, &column) > rows_for_entry(e)) return true;
  if (*e->above != L'\0' && wide_text_line_start(e->buffer->text(e), at) == 0) return true;
  return *e->below != L'\0' && wide_text_line_end(e->buffer->text(e), at, n) == n;
}

/*
** Actions.
*/

void editor_queue (Editor *e, EditorAction action, wchar_t code) {
  e->action = action;
  e->queue[0] = CODE_ACT;
  e->queue[1] = code;
  e->queued = code != 0 ? 2 : 1;
}

void editor_blank (Editor *e) {
  e->saved_cursor = e->buffer->cursor(e);
  wide_text_set(&e->saved, wide_text_copy(e->buffer->text(e), e->buffer->length(e)));
  editor_replace_buffer(e, L"", 0);
  wide_text_set(&e->prompt, wide_text_copy(L"", 0));
  e->blank = true;
}

void editor_restore (Editor *e) {
  e->blank = false;
  editor_replace_buffer(e, e->saved, e->saved_cursor);
  editor_compose_prompt(e);
}

/* The entry is finished: keep it, and leave the cursor at the end of what is drawn. */
static void finish (Editor *e) {
  wide_text_set(&e->accepted, editor_entry(e, NULL));
  e->searching = false;
  editor_compose_prompt(e);
  e->buffer->move(e, e->buffer->length(e));
  if (e->result == LINE_INTERRUPTED) e->buffer->insert(e, L"^C");
}

void editor_leave (Editor *e, EditorResult result) {
  e->result = result;
  editor_queue(e, finish, L'\n');
}

/* Leaves without a trace of the line on the screen. */
static void vanish (Editor *e) {
  wide_text_set(&e->accepted, editor_entry(e, NULL));
  editor_replace_buffer(e, L"", 0);
  wide_text_set(&e->prompt, wide_text_copy(L"", 0));
}

static void insert_taken (Editor *e) {
  e->buffer->insert(e, e->taken);
  editor_rewindow(e);
}

void editor_insert (Editor *e, wchar_t *text) {
  wide_text_set(&e->taken, text);
  if (*text != L'\0') editor_queue(e, insert_taken, 0);
}

/*
** Moving among lines and in the history.
*/

static void recall (Editor *e, int back) {
  const char *old = back > 0 ? e->hooks.recall(e->hooks.ud, back) : NULL;
  wchar_t *text;
  if (back > 0 && old == NULL) return;
  if (e->back == 0) wide_text_set(&e->draft, editor_entry(e, NULL));
  text =
      old != NULL ? wide_text_from(old, strlen(old)) : wide_text_copy(e->draft, wcslen(e->draft));
  e->back = back;
  show_all(e, text);
  free(text);
}

static void recall_older (Editor *e) { recall(e, e->back + 1); }
static void recall_newer (Editor *e) {
  if (e->back > 0) recall(e, e->back - 1);
}

static void line_up (Editor *e) {
  size_t start = wide_text_line_start(e->buffer->text(e), e->buffer->cursor(e)),
         column = e->buffer->cursor(e) - start;
  size_t above = wide_text_line_start(e->buffer->text(e), start - 1);
  e->buffer->move(e, above + column < start ? above + column : start - 1);
}

static void line_down (Editor *e) {
  const wchar_t *text = e->buffer->text(e);
  size_t n = e->buffer->length(e), at = e->buffer->cursor(e);
  size_t below = wide_text_line_end(text, at, n) + 1, end = wide_text_line_end(text, below, n);
  size_t wanted = below + (at - wide_text_line_start(text, at));
  e->buffer->move(e, wanted < end ? wanted : end);
}

static void key_up (Editor *e) {
  if (wide_text_line_start(e->buffer->text(e), e->buffer->cursor(e)) > 0)
    editor_queue(e, line_up, 0);
  else if (e->continued && e->back == 0) {
    e->result = LINE_BACK;
    editor_queue(e, vanish, CODE_LEAVE);
  }
  else editor_queue(e, recall_older, 0);
}

static void key_down (Editor *e) {
  size_t n = e->buffer->length(e);
  editor_queue(e,
               wide_text_line_end(e->buffer->text(e), e->buffer->cursor(e), n) < n ? line_down
                                                                                   : recall_newer,
               0);
}

/* Moves to the beginning or the end of the line, which may lie outside the window. */
static void to_line_edge (Editor *e, bool end) {
  size_t at;
  wchar_t *text = editor_entry(e, &at);
  editor_show(e, text,
              end ? wide_text_line_end(text, at, wcslen(text)) : wide_text_line_start(text, at));
  free(text);
}

static void to_start (Editor *e) { to_line_edge(e, false); }
static void to_end (Editor *e) { to_line_edge(e, true); }

static void kill_to_end (Editor *e) {
  size_t at = e->buffer->cursor(e),
         end = wide_text_line_end(e->buffer->text(e), at, e->buffer->length(e));
  if (end == at && end < e->buffer->length(e)) end++; /* at the end: the line break itself */
  e->buffer->erase(e, at, end);
}

static void kill_to_start (Editor *e) {
  e->buffer->erase(e, wide_text_line_start(e->buffer->text(e), e->buffer->cursor(e)),
                   e->buffer->cursor(e));
}

static void complete (Editor *e) {
  size_t position;
  wchar_t *all = editor_entry(e, &position);
  char *text = wide_text_to_bytes(all, wcslen(all)), *before = wide_text_to_bytes(all, position);
  const char *more = e->hooks.complete(e->hooks.ud, text, strlen(before));
  if (more != NULL && *more != '\0') {
    wchar_t *wide = wide_text_from(more, strlen(more));
    e->buffer->insert(e, wide);
    free(wide);
  }
  free(all);
  free(text);
  free(before);
}

/*
** Searching the history (Ctrl-R).
*/

static void search_from (Editor *e, int back) {
  char *pattern = wide_text_to_bytes(e->pattern, wcslen(e->pattern));
  int found = *pattern != '\0' ? e->hooks.search(e->hooks.ud, pattern, back) : 0;
  const char *text = found > 0 ? e->hooks.recall(e->hooks.ud, found) : NULL;
  if (text != NULL) {
    wchar_t *wide = wide_text_from(text, strlen(text)), *at = wcsstr(wide, e->pattern);
    e->found = found;
    editor_show(e, wide, at != NULL ? (size_t)(at - wide) : 0);
    free(wide);
  }
  else if (back <= 1) e->found = 0;
  free(pattern);
  editor_compose_prompt(e);
}

static void search_more (Editor *e) { search_from(e, e->found > 0 ? e->found + 1 : 1); }
static void search_again (Editor *e) { search_from(e, 1); }

static void begin_search (Editor *e) {
  wide_text_set(&e->draft, editor_entry(e, NULL));
  e->searching = true;
  e->found = 0;
  e->back = 0;
  *e->pattern = L'\0';
  editor_compose_prompt(e);
}

void editor_end_search (Editor *e) {
  e->searching = false;
  e->back = e->found;
  editor_compose_prompt(e);
}

static void cancel_search (Editor *e) {
  e->found = 0;
  editor_end_search(e);
  show_all(e, e->draft);
}

/* A key while searching; false: the search is over and the key means what it always does. */
static bool search_key (Editor *e, wchar_t c) {
  size_t n = wcslen(e->pattern);
  if (c == 0x12) editor_queue(e, search_more, 0);
  else if (c == 0x07) editor_queue(e, cancel_search, 0);
  else if ((c == 0x7F || c == 0x08) && n > 0) {
    e->pattern[n - 1] = L'\0';
    editor_queue(e, search_again, 0);
  }
  else if (c >= 0x20 && c != 0x7F && n < PATTERN_MOST) {
    e->pattern[n] = c;
    e->pattern[n + 1] = L'\0';
    editor_queue(e, search_again, 0);
  }
  else return false;
  return true;
}

/*
** Keys.
*/

typedef struct Sequence {
  const char *text;       /* behind Escape */
  EditorAction action;    /* NULL: the code */
  void (*key)(Editor *e); /* decides what to do */
  wchar_t code;
} Sequence;

static void paste (Editor *e) { editor_insert(e, keys_paste()); }

static const Sequence sequences[] = {{"[A", NULL, key_up, 0},
                                     {"OA", NULL, key_up, 0},
                                     {"[B", NULL, key_down, 0},
                                     {"OB", NULL, key_down, 0},
                                     {"[C", NULL, NULL, CODE_RIGHT},
                                     {"OC", NULL, NULL, CODE_RIGHT},
                                     {"[D", NULL, NULL, CODE_LEFT},
                                     {"OD", NULL, NULL, CODE_LEFT},
                                     {"[H", to_start, NULL, 0},
                                     {"OH", to_start, NULL, 0},
                                     {"[1~", to_start, NULL, 0},
                                     {"[7~", to_start, NULL, 0},
                                     {"[F", to_end, NULL, 0},
                                     {"OF", to_end, NULL, 0},
                                     {"[4~", to_end, NULL, 0},
                                     {"[8~", to_end, NULL, 0},
                                     {"[3~", NULL, NULL, CODE_DELETE_CHAR},
                                     {"[200~", NULL, paste, 0},
                                     {"[1;5C", NULL, NULL, CODE_NEXT_WORD},
                                     {"[1;5D", NULL, NULL, CODE_PREV_WORD},
                                     {"[1;3C", NULL, NULL, CODE_NEXT_WORD},
                                     {"[1;3D", NULL, NULL, CODE_PREV_WORD},
                                     {"f", NULL, NULL, CODE_NEXT_WORD},
                                     {"b", NULL, NULL, CODE_PREV_WORD},
                                     {"d", NULL, NULL, CODE_DELETE_WORD},
                                     {"_", editor_redo, NULL, 0},
                                     {"\177", NULL, NULL, 0x17},
                                     {"\b", NULL, NULL, 0x17},
                                     {NULL, NULL, NULL, 0}};

static void send (Editor *e, wchar_t code) {
  e->queue[0] = code;
  e->queued = 1;
}

static void key_escape (Editor *e) {
  char text[KEYS_SEQUENCE];
  keys_sequence(text);
  if (strcmp(text, "\r") == 0 || strcmp(text, "\n") == 0)
    editor_insert(e, wide_text_copy(L"\n", 1));
  for (const Sequence *s = sequences; s->text != NULL; s++) {
    if (strcmp(s->text, text) != 0) continue;
    if (s->key != NULL) s->key(e);
    else if (s->action != NULL) editor_queue(e, s->action, 0);
    else send(e, s->code);
    return;
  }
}

static void key_end_of_file (Editor *e) {
  if (is_empty(e)) editor_leave(e, LINE_EOF);
  else send(e, CODE_DELETE_CHAR);
}

/* Keys that libedit knows by itself and that read no further ones: those of Emacs. */
static bool is_plain_key (wchar_t c) {
  return c >= 0x20 || c == 0x02 || c == 0x06 || c == 0x08 || c == 0x0C || c == 0x14 || c == 0x17
         || c == 0x19;
}

/* Ctrl-\ and Ctrl-Z do what the terminal would have them do: see take_signal_keys. */
static bool is_signal_key (wchar_t c) {
  if (c == 0x1C) raise(SIGQUIT);
  else if (c == 0x1A) kill(0, SIGTSTP);
  return c == 0x1C || c == 0x1A;
}

void editor_key (Editor *e, wchar_t c) {
  if (is_signal_key(c)) return;
  e->fitted = false;
  if (e->searching) {
    if (search_key(e, c)) return;
    editor_end_search(e);
  }
  switch (c) {
    case 0x01: editor_queue(e, to_start, 0); break;
    case 0x03: editor_leave(e, LINE_INTERRUPTED); break;
    case 0x04: key_end_of_file(e); break;
    case 0x05: editor_queue(e, to_end, 0); break;
    case 0x09: editor_queue(e, complete, 0); break;
    case 0x0A:
    case 0x0D: editor_leave(e, LINE_TEXT); break;
    case 0x0B: editor_queue(e, kill_to_end, 0); break;
    case 0x0E: key_down(e); break;
    case 0x10: key_up(e); break;
    case 0x12: editor_queue(e, begin_search, 0); break;
    case 0x15: editor_queue(e, kill_to_start, 0); break;
    case 0x1B: key_escape(e); break;
    case 0x1F: editor_queue(e, editor_undo, 0); break;
    default:
      if (c >= 0x80 && c <= 0x9F) editor_insert(e, wide_text_copy(L"\uFFFD", 1));
      else if (is_plain_key(c)) send(e, c);
  }
}
