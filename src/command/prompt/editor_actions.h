/*
** editor_actions.h - between editor.c, which knows libedit, and editor_actions.c, which
** knows what keys do.
**
** A key is answered by queueing codes, which libedit gets as if they had been
** typed: keys it knows by itself, or CODE_ACT, for which it calls `action` and
** draws anew what that has changed.
*/
#ifndef COMMAND_PROMPT_EDITOR_ACTIONS_H
#define COMMAND_PROMPT_EDITOR_ACTIONS_H

#include <locale.h>
#include <stdint.h>
#include <stdio.h>
#include <wchar.h>

#include "command/prompt/editor.h"

#define PATTERN_MOST 80

/* Codes that no keyboard sends: C1. */
enum {
  CODE_ACT = 0x80,
  CODE_LEAVE,
  CODE_PREV_WORD,
  CODE_NEXT_WORD,
  CODE_DELETE_WORD,
  CODE_DELETE_CHAR,
  CODE_LEFT,
  CODE_RIGHT
};

typedef void (*EditorAction)(Editor *e);

/* The part of the entry that is drawn, as editor.c has it: an editable text with a cursor. */
typedef struct EditorBuffer {
  const wchar_t *(*text)(Editor *e); /* not ended by a zero */
  size_t (*length)(Editor *e);
  size_t (*cursor)(Editor *e);
  void (*move)(Editor *e, size_t position);
  void (*erase)(Editor *e, size_t from, size_t to);
  void (*insert)(Editor *e, const wchar_t *text);
} EditorBuffer;

/* The entry as it was before and after each change; see editor_undo.c. */
typedef struct EditorUndo {
  struct EditorState *states;
  int count, capacity;
  int now;      /* the state that is shown */
  size_t held;  /* characters in all */
  bool merging; /* another typed character belongs to the newest state */
} EditorUndo;

struct Editor {
  struct editline *el;
  const EditorBuffer *buffer; /* const after init */
  FILE *out;
  EditorHooks hooks;
  locale_t locale;
  wchar_t *prompt;        /* as drawn: L"" while blank */
  wchar_t *prompt_text;   /* as the hook gave it */
  wchar_t *above, *below; /* the entry outside the window; never NULL while reading */
  bool has_keys;          /* the terminal sends Ctrl-\ and Ctrl-Z as keys */
  bool fitted;            /* the window has been chosen and no key has come since */
  wchar_t *saved;         /* while blank: the buffer */
  size_t saved_cursor;
  bool blank;
  bool stopping;    /* Ctrl-Z: the process stops once nothing is drawn */
  wchar_t queue[2]; /* codes libedit gets before any key */
  int queued;
  EditorAction action; /* what CODE_ACT does */
  EditorResult result;
  wchar_t *accepted; /* the entry, once finished */
  bool continued;
  int back;       /* the history entry shown; 0: none */
  wchar_t *draft; /* what was typed before the history was looked at */
  bool searching;
  wchar_t pattern[PATTERN_MOST + 1];
  int found;      /* the entry the search has come to; 0: none */
  wchar_t *taken; /* what an action shall insert */
  EditorUndo undo;
  int rows, columns; /* of the terminal */
  int64_t rested;    /* when the next output may be printed, ms */
};

/* Queues the codes for what the key means. */
void editor_key (Editor *e, wchar_t c);
/* Queues an action and then a code, if it is not 0. */
void editor_queue (Editor *e, EditorAction action, wchar_t code);
/* Queues the insertion of a text, which is consumed. */
void editor_insert (Editor *e, wchar_t *text);
/* Queues the end of the reading. */
void editor_leave (Editor *e, EditorResult result);
void editor_end_search (Editor *e);

/* Asks for the prompt again; returns whether it is another one. */
bool editor_ask_prompt (Editor *e);
int editor_prompt_width (Editor *e);
/* Does the window no longer suit the entry? */
bool editor_must_rewindow (Editor *e);

/* The whole entry, to be freed, and where the cursor stands in it (may be NULL). */
wchar_t *editor_entry (Editor *e, size_t *position);
/* Shows another entry. */
void editor_show (Editor *e, const wchar_t *text, size_t position);

/* Puts a text and a cursor into the buffer. */
void editor_replace_buffer (Editor *e, const wchar_t *text, size_t position);

/*
** Actions: the prompt as it is to be drawn now; the window around the cursor;
** nothing drawn; everything again.
*/
void editor_compose_prompt (Editor *e);
void editor_fit_prompt (Editor *e); /* without colours where it is wider than the terminal */
void editor_rewindow (Editor *e);
void editor_blank (Editor *e);
void editor_restore (Editor *e);

#endif
