/*
** lineact.c - what the keys do: lines and the window on them, the history, the
** search, the prompt.
*/
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command/prompt/editor_actions.h"
#include "command/prompt/keys.h"
#include "command/prompt/wide_text.h"

void act_replace_buffer (LineEdit *e, const wchar_t *text, size_t position) {
  e->buffer->erase(e, 0, e->buffer->length(e));
  e->buffer->insert(e, text);
  e->buffer->move(e, position);
}

/* The whole entry, and where the cursor stands in it. */
static wchar_t *entry (LineEdit *e, size_t *position) {
  if (position != NULL) *position = wcslen(e->above) + e->buffer->cursor(e);
  return wide_join(e->above, e->buffer->text(e), e->buffer->length(e), e->below);
}

static bool is_empty (LineEdit *e) {
  return e->buffer->length(e) == 0 && *e->above == L'\0' && *e->below == L'\0';
}

int act_prompt_width (LineEdit *e) {
  int width = 0;
  bool hidden = false;
  for (const wchar_t *p = e->prompt; *p != L'\0'; p++) {
    if (*p == 1) hidden = !hidden;
    else if (!hidden) width += wide_char_width(*p, width);
  }
  return width;
}

/*
** The prompt, and the window.
*/

void act_compose_prompt (LineEdit *e) {
  wchar_t text[160];
  int above = wide_lines(e->above), below = wide_lines(e->below);
  if (e->searching) {
    swprintf(text, 160, L"(search%ls) '%ls': ", e->found == 0 && *e->pattern != L'\0' ? L", nothing" : L"", e->pattern);
    wide_set(&e->prompt, wide_copy(text, wcslen(text)));
  }
  else if (*e->above != L'\0' || *e->below != L'\0') {
    swprintf(text, 160, L"(%d above, %d below) ", above, below);
    wide_set(&e->prompt, wide_join(text, e->prompt_text, wcslen(e->prompt_text), L""));
  }
  else wide_set(&e->prompt, wide_copy(e->prompt_text, wcslen(e->prompt_text)));
  act_fit_prompt(e);
}

/* libedit aborts when a prompt without colours replaces one with colours that goes over more than a row. */
void act_fit_prompt (LineEdit *e) {
  wchar_t *to = e->prompt;
  bool hidden = false;
  if (act_prompt_width(e) < e->columns) return;
  for (const wchar_t *from = e->prompt; *from != L'\0'; from++) {
    if (*from == 1) hidden = !hidden;
    else if (!hidden) *to++ = *from;
  }
  *to = L'\0';
}

bool act_ask_prompt (LineEdit *e) {
  const char *asked = e->hooks.prompt(e->hooks.ud);
  wchar_t *text = wide_from(asked, strlen(asked));
  bool changed = e->prompt_text == NULL || wcscmp(text, e->prompt_text) != 0;
  wide_set(&e->prompt_text, text);
  return changed;
}

static int rows_for_entry (LineEdit *e) {
  return e->rows > 5 ? e->rows - 3 : 2;
}

/* Widens [*from, *to) line by line around the cursor's line while it fits. */
static void choose_lines (LineEdit *e, const wchar_t *text, size_t length, size_t *from, size_t *to) {
  bool up = true, down = true;
  int column = act_prompt_width(e), rows = wide_rows(text + *from, *to - *from, e->columns, &column);
  while (up || down) {
    size_t start = *from > 0 ? wide_line_start(text, *from - 1) : 0;
    size_t end = *to < length ? wide_line_end(text, *to + 1, length) : length;
    column = act_prompt_width(e);
    int more_up = wide_rows(text + start, *from - start, e->columns, &column) - 1;
    column = 0;
    int more_down = wide_rows(text + *to, end - *to, e->columns, &column) - 1;
    up = *from > 0 && rows + more_up <= rows_for_entry(e);
    if (up) { *from = start; rows += more_up; }
    down = *to < length && rows + more_down <= rows_for_entry(e);
    if (down) { *to = end; rows += more_down; }
  }
}

/* The part of the entry to be shown: whole lines, or a piece of one line that is taller than the screen. */
static void choose_window (LineEdit *e, const wchar_t *text, size_t position, size_t *from, size_t *to) {
  size_t length = wcslen(text), half = (size_t)rows_for_entry(e) * (size_t)e->columns / 4;
  int column = act_prompt_width(e);
  *from = wide_line_start(text, position);
  *to = wide_line_end(text, position, length);
  if (wide_rows(text + *from, *to - *from, e->columns, &column) <= rows_for_entry(e))
    choose_lines(e, text, length, from, to);
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
  shown = wide_copy(text + from, to - from);
  wide_set(&e->above, wide_copy(text, from));
  wide_set(&e->below, wide_copy(text + to, wcslen(text + to)));
  act_replace_buffer(e, shown, position - from);
  free(shown);
  act_compose_prompt(e);
  e->fitted = true;
}

static void show_all (LineEdit *e, const wchar_t *text) {
  show(e, text, wcslen(text));
}

void act_rewindow (LineEdit *e) {
  size_t position;
  wchar_t *text = entry(e, &position);
  show(e, text, position);
  free(text);
}

bool act_must_rewindow (LineEdit *e) {
  if (e->fitted) return false;
  size_t n = e->buffer->length(e), at = e->buffer->cursor(e);
  int column = act_prompt_width(e);
  if (wide_rows(e->buffer->text(e), n, e->columns, &column) > rows_for_entry(e)) return true;
  if (*e->above != L'\0' && wide_line_start(e->buffer->text(e), at) == 0) return true;
  return *e->below != L'\0' && wide_line_end(e->buffer->text(e), at, n) == n;
}

/*
** Actions.
*/

void act_queue (LineEdit *e, Action action, wchar_t code) {
  e->action = action;
  e->queue[0] = CODE_ACT;
  e->queue[1] = code;
  e->queued = code != 0 ? 2 : 1;
}

void act_blank (LineEdit *e) {
  e->saved_cursor = e->buffer->cursor(e);
  wide_set(&e->saved, wide_copy(e->buffer->text(e), e->buffer->length(e)));
  act_replace_buffer(e, L"", 0);
  wide_set(&e->prompt, wide_copy(L"", 0));
  e->blank = true;
}

void act_restore (LineEdit *e) {
  e->blank = false;
  act_replace_buffer(e, e->saved, e->saved_cursor);
  act_compose_prompt(e);
}

/* The entry is finished: keep it, and leave the cursor at the end of what is drawn. */
static void finish (LineEdit *e) {
  wide_set(&e->accepted, entry(e, NULL));
  e->searching = false;
  act_compose_prompt(e);
  e->buffer->move(e, e->buffer->length(e));
  if (e->result == LINE_INTERRUPTED) e->buffer->insert(e, L"^C");
}

void act_leave (LineEdit *e, LineResult result) {
  e->result = result;
  act_queue(e, finish, L'\n');
}

/* Leaves without a trace of the line on the screen. */
static void vanish (LineEdit *e) {
  wide_set(&e->accepted, entry(e, NULL));
  act_replace_buffer(e, L"", 0);
  wide_set(&e->prompt, wide_copy(L"", 0));
}

static void insert_taken (LineEdit *e) {
  e->buffer->insert(e, e->taken);
  act_rewindow(e);
}

void act_insert (LineEdit *e, wchar_t *text) {
  wide_set(&e->taken, text);
  if (*text != L'\0') act_queue(e, insert_taken, 0);
}

/*
** Moving among lines and in the history.
*/

static void recall (LineEdit *e, int back) {
  const char *old = back > 0 ? e->hooks.recall(e->hooks.ud, back) : NULL;
  wchar_t *text;
  if (back > 0 && old == NULL) return;
  if (e->back == 0) wide_set(&e->draft, entry(e, NULL));
  text = old != NULL ? wide_from(old, strlen(old)) : wide_copy(e->draft, wcslen(e->draft));
  e->back = back;
  show_all(e, text);
  free(text);
}

static void recall_older (LineEdit *e) { recall(e, e->back + 1); }
static void recall_newer (LineEdit *e) { if (e->back > 0) recall(e, e->back - 1); }

static void line_up (LineEdit *e) {
  size_t start = wide_line_start(e->buffer->text(e), e->buffer->cursor(e)), column = e->buffer->cursor(e) - start;
  size_t above = wide_line_start(e->buffer->text(e), start - 1);
  e->buffer->move(e, above + column < start ? above + column : start - 1);
}

static void line_down (LineEdit *e) {
  const wchar_t *text = e->buffer->text(e);
  size_t n = e->buffer->length(e), at = e->buffer->cursor(e);
  size_t below = wide_line_end(text, at, n) + 1, end = wide_line_end(text, below, n);
  size_t wanted = below + (at - wide_line_start(text, at));
  e->buffer->move(e, wanted < end ? wanted : end);
}

static void key_up (LineEdit *e) {
  if (wide_line_start(e->buffer->text(e), e->buffer->cursor(e)) > 0) act_queue(e, line_up, 0);
  else if (e->continued && e->back == 0) {
    e->result = LINE_BACK;
    act_queue(e, vanish, CODE_LEAVE);
  }
  else act_queue(e, recall_older, 0);
}

static void key_down (LineEdit *e) {
  size_t n = e->buffer->length(e);
  act_queue(e, wide_line_end(e->buffer->text(e), e->buffer->cursor(e), n) < n ? line_down : recall_newer, 0);
}

/* Moves to the beginning or the end of the line, which may lie outside the window. */
static void to_line_edge (LineEdit *e, bool end) {
  size_t at;
  wchar_t *text = entry(e, &at);
  show(e, text, end ? wide_line_end(text, at, wcslen(text)) : wide_line_start(text, at));
  free(text);
}

static void to_start (LineEdit *e) { to_line_edge(e, false); }
static void to_end (LineEdit *e) { to_line_edge(e, true); }

static void kill_to_end (LineEdit *e) {
  size_t at = e->buffer->cursor(e), end = wide_line_end(e->buffer->text(e), at, e->buffer->length(e));
  if (end == at && end < e->buffer->length(e)) end++;       /* at the end: the line break itself */
  e->buffer->erase(e, at, end);
}

static void kill_to_start (LineEdit *e) {
  e->buffer->erase(e, wide_line_start(e->buffer->text(e), e->buffer->cursor(e)), e->buffer->cursor(e));
}

static void complete (LineEdit *e) {
  size_t position;
  wchar_t *all = entry(e, &position);
  char *text = wide_to_bytes(all, wcslen(all)), *before = wide_to_bytes(all, position);
  const char *more = e->hooks.complete(e->hooks.ud, text, strlen(before));
  if (more != NULL && *more != '\0') {
    wchar_t *wide = wide_from(more, strlen(more));
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

static void search_from (LineEdit *e, int back) {
  char *pattern = wide_to_bytes(e->pattern, wcslen(e->pattern));
  int found = *pattern != '\0' ? e->hooks.search(e->hooks.ud, pattern, back) : 0;
  const char *text = found > 0 ? e->hooks.recall(e->hooks.ud, found) : NULL;
  if (text != NULL) {
    wchar_t *wide = wide_from(text, strlen(text)), *at = wcsstr(wide, e->pattern);
    e->found = found;
    show(e, wide, at != NULL ? (size_t)(at - wide) : 0);
    free(wide);
  }
  else if (back <= 1) e->found = 0;
  free(pattern);
  act_compose_prompt(e);
}

static void search_more (LineEdit *e) { search_from(e, e->found > 0 ? e->found + 1 : 1); }
static void search_again (LineEdit *e) { search_from(e, 1); }

static void begin_search (LineEdit *e) {
  wide_set(&e->draft, entry(e, NULL));
  e->searching = true;
  e->found = 0;
  e->back = 0;
  *e->pattern = L'\0';
  act_compose_prompt(e);
}

void act_end_search (LineEdit *e) {
  e->searching = false;
  e->back = e->found;
  act_compose_prompt(e);
}

static void cancel_search (LineEdit *e) {
  e->found = 0;
  act_end_search(e);
  show_all(e, e->draft);
}

/* A key while searching; false: the search is over and the key means what it always does. */
static bool search_key (LineEdit *e, wchar_t c) {
  size_t n = wcslen(e->pattern);
  if (c == 0x12) act_queue(e, search_more, 0);
  else if (c == 0x07) act_queue(e, cancel_search, 0);
  else if ((c == 0x7F || c == 0x08) && n > 0) {
    e->pattern[n - 1] = L'\0';
    act_queue(e, search_again, 0);
  }
  else if (c >= 0x20 && c != 0x7F && n < PATTERN_MOST) {
    e->pattern[n] = c;
    e->pattern[n + 1] = L'\0';
    act_queue(e, search_again, 0);
  }
  else return false;
  return true;
}

/*
** Keys.
*/

typedef struct Sequence {
  const char *text;               /* behind Escape */
  Action action;                  /* NULL: the code */
  void (*key) (LineEdit *e);      /* decides what to do */
  wchar_t code;
} Sequence;

static void paste (LineEdit *e) { act_insert(e, keys_paste()); }

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

static void key_escape (LineEdit *e) {
  char text[KEYS_SEQUENCE];
  keys_sequence(text);
  if (strcmp(text, "\r") == 0 || strcmp(text, "\n") == 0) act_insert(e, wide_copy(L"\n", 1));
  for (const Sequence *s = sequences; s->text != NULL; s++) {
    if (strcmp(s->text, text) != 0) continue;
    if (s->key != NULL) s->key(e);
    else if (s->action != NULL) act_queue(e, s->action, 0);
    else send(e, s->code);
    return;
  }
}

static void key_end_of_file (LineEdit *e) {
  if (is_empty(e)) act_leave(e, LINE_EOF);
  else send(e, CODE_DELETE_CHAR);
}

/* Keys that libedit knows by itself and that read no further ones: those of Emacs. */
static bool is_plain_key (wchar_t c) {
  return c >= 0x20 || c == 0x02 || c == 0x06 || c == 0x08 || c == 0x0C || c == 0x14 || c == 0x17 || c == 0x19;
}

void act_key (LineEdit *e, wchar_t c) {
  e->fitted = false;
  if (e->searching) {
    if (search_key(e, c)) return;
    act_end_search(e);
  }
  switch (c) {
    case 0x01: act_queue(e, to_start, 0); break;
    case 0x03: act_leave(e, LINE_INTERRUPTED); break;
    case 0x04: key_end_of_file(e); break;
    case 0x05: act_queue(e, to_end, 0); break;
    case 0x09: act_queue(e, complete, 0); break;
    case 0x0A: case 0x0D: act_leave(e, LINE_TEXT); break;
    case 0x0B: act_queue(e, kill_to_end, 0); break;
    case 0x0E: key_down(e); break;
    case 0x10: key_up(e); break;
    case 0x12: act_queue(e, begin_search, 0); break;
    case 0x15: act_queue(e, kill_to_start, 0); break;
    case 0x1B: key_escape(e); break;
    default:
      if (c >= 0x80 && c <= 0x9F) act_insert(e, wide_copy(L"\uFFFD", 1));
      else if (is_plain_key(c)) send(e, c);
  }
}
