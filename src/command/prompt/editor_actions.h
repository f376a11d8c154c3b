/*
** lineact.h - between lineedit.c, which knows libedit, and lineact.c, which
** knows what keys do.
**
** A key is answered by queueing codes, which libedit gets as if they had been
** typed: keys it knows by itself, or CODE_ACT, for which it calls `action` and
** draws anew what that has changed.
*/
#ifndef LINEACT_H
#define LINEACT_H

#include <locale.h>
#include <stdint.h>
#include <stdio.h>
#include <wchar.h>

#include "command/prompt/editor.h"

#define PATTERN_MOST 80

/* Codes that no keyboard sends: C1. */
enum { CODE_ACT = 0x80, CODE_LEAVE, CODE_PREV_WORD, CODE_NEXT_WORD, CODE_DELETE_WORD, CODE_DELETE_CHAR,
       CODE_LEFT, CODE_RIGHT };

typedef void (*Action) (LineEdit *e);

/* The part of the entry that is drawn, as lineedit.c has it: an editable text with a cursor. */
typedef struct Buffer {
  const wchar_t *(*text) (LineEdit *e);         /* not ended by a zero */
  size_t (*length) (LineEdit *e);
  size_t (*cursor) (LineEdit *e);
  void (*move) (LineEdit *e, size_t position);
  void (*erase) (LineEdit *e, size_t from, size_t to);
  void (*insert) (LineEdit *e, const wchar_t *text);
} Buffer;

struct LineEdit {
  struct editline *el;
  const Buffer *buffer;           /* const after init */
  FILE *out;
  LineHooks hooks;
  locale_t locale;
  wchar_t *prompt;                /* as drawn: L"" while blank */
  wchar_t *prompt_text;           /* as the hook gave it */
  wchar_t *above, *below;         /* the entry outside the window; never NULL while reading */
  bool fitted;                    /* the window has been chosen and no key has come since */
  wchar_t *saved;                 /* while blank: the buffer */
  size_t saved_cursor;
  bool blank;
  wchar_t queue[2];               /* codes libedit gets before any key */
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
  int64_t rested;                 /* when the next output may be printed, ms */
};

/* Queues the codes for what the key means. */
void act_key (LineEdit *e, wchar_t c);
/* Queues an action and then a code, if it is not 0. */
void act_queue (LineEdit *e, Action action, wchar_t code);
/* Queues the insertion of a text, which is consumed. */
void act_insert (LineEdit *e, wchar_t *text);
/* Queues the end of the reading. */
void act_leave (LineEdit *e, LineResult result);
void act_end_search (LineEdit *e);

/* Asks for the prompt again; returns whether it is another one. */
bool act_ask_prompt (LineEdit *e);
int act_prompt_width (LineEdit *e);
/* Does the window no longer suit the entry? */
bool act_must_rewindow (LineEdit *e);

/* Puts a text and a cursor into the buffer. */
void act_replace_buffer (LineEdit *e, const wchar_t *text, size_t position);

/* Actions: the prompt as it is to be drawn now; the window around the cursor; nothing drawn; everything again. */
void act_compose_prompt (LineEdit *e);
void act_fit_prompt (LineEdit *e);       /* without colours where it is wider than the terminal */
void act_rewindow (LineEdit *e);
void act_blank (LineEdit *e);
void act_restore (LineEdit *e);

#endif
