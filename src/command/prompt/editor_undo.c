/*
** editor_undo.c - taking changes of an entry back, and making them again.
**
** The entry is looked at before each key, whatever the key before has done. What is
** typed character by character is one change up to the next blank.
*/
#include <stdlib.h>
#include <string.h>
#include <wctype.h>

#include "command/prompt/editor_undo.h"
#include "command/prompt/wide_text.h"

#define HELD_MOST 4000000 /* characters of all states; the oldest go */

typedef struct EditorState {
  wchar_t *text;
  size_t length, position;
} EditorState;

/* Frees the states from `first` on, `n` of them. */
static void drop (EditorUndo *u, int first, int n) {
  for (int i = first; i < first + n; i++) {
    u->held -= u->states[i].length;
    free(u->states[i].text);
  }
  memmove(u->states + first, u->states + first + n,
          (size_t)(u->count - first - n) * sizeof *u->states);
  u->count -= n;
}

void editor_undo_clear (Editor *e) {
  EditorUndo *u = &e->undo;
  if (u->count > 0) drop(u, 0, u->count);
  free(u->states);
  *u = (EditorUndo){.now = -1};
}

static void push (EditorUndo *u, EditorState state) {
  if (u->count == u->capacity) {
    u->capacity = 2 * u->capacity + 16;
    u->states = wide_text_must(realloc(u->states, (size_t)u->capacity * sizeof *u->states));
  }
  u->states[u->count++] = state;
  u->held += state.length;
  while (u->held > HELD_MOST && u->count > 2) drop(u, 0, 1);
  u->now = u->count - 1;
}

/* Whether one character has been typed in front of the cursor since `old`. */
static bool is_typed (const EditorState *old, const EditorState *new) {
  size_t at = old->position;
  return new->length == old->length + 1 && new->position == at + 1
         && wmemcmp(old->text, new->text, at) == 0
         && wmemcmp(old->text + at, new->text + at + 1, old->length - at) == 0;
}

void editor_undo_note (Editor *e) {
  EditorUndo *u = &e->undo;
  EditorState *old = u->now >= 0 ? &u->states[u->now] : NULL, new;
  bool typed;
  new.text = editor_entry(e, &new.position);
  new.length = wcslen(new.text);
  if (old != NULL && old->length == new.length &&wcscmp(old->text, new.text) == 0) {
    u->merging = u->merging && old->position == new.position;
    old->position = new.position;
    free(new.text);
    return;
  }
  typed = old != NULL && is_typed(old, &new);
  if (u->now + 1 < u->count) drop(u, u->now + 1, u->count - u->now - 1);
  if (typed && u->merging && !iswspace((wint_t) new.text[old->position])) drop(u, u->now, 1);
  push(u, new);
  u->merging = typed;
}

static void go_to (Editor *e, int state) {
  EditorUndo *u = &e->undo;
  if (state < 0 || state >= u->count) return;
  u->now = state;
  u->merging = false;
  editor_show(e, u->states[state].text, u->states[state].position);
}

void editor_undo (Editor *e) { go_to(e, e->undo.now - 1); }
void editor_redo (Editor *e) { go_to(e, e->undo.now + 1); }
