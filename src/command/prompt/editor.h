/*
** editor.h - reading one entry from the terminal, with editing.
**
** An entry may have several lines: a pasted block, or one recalled from the
** history, stays one text in which the cursor moves up and down. While the user
** types, other threads may print: such a thread calls editor_wake, and the editor
** asks its `output` hook for the text, shows it above the prompt and draws the
** prompt and the typed text anew.
**
** All texts are UTF-8; bytes that are none survive unchanged. One editor at a
** time, used by one thread; only editor_wake may be called by others.
*/
#ifndef COMMAND_PROMPT_EDITOR_H
#define COMMAND_PROMPT_EDITOR_H

#include <stdbool.h>
#include <stddef.h>

typedef struct Editor Editor;

/*
** What the editor asks its owner. Texts belong to the owner and live until the same
** hook is called again.
*/
typedef struct EditorHooks {
  void *ud;
  /* The prompt, asked for every now and then. Escape sequences stand between two \1. */
  const char *(*prompt)(void *ud);
  /* The history entry `back` steps ago (1: the newest), or NULL. */
  const char *(*recall)(void *ud, int back);
  /* The first entry at `back` or older that holds the pattern; 0: none. */
  int (*search)(void *ud, const char *pattern, int back);
  /* What Tab inserts behind the first `cursor` bytes of the text, or NULL. */
  const char *(*complete)(void *ud, const char *text, size_t cursor);
  /* ReplText for above the prompt, whole lines, or NULL; whether there is any: `waiting`. */
  const char *(*output)(void *ud, size_t *length);
  bool (*waiting)(void *ud);
} EditorHooks;

typedef enum EditorResult {
  LINE_TEXT,        /* the user pressed Enter */
  LINE_EOF,         /* Ctrl-D on an empty entry, or the terminal is gone */
  LINE_INTERRUPTED, /* Ctrl-C */
  LINE_BACK         /* Up in the first line of a continuation: the entry so far is wanted */
} EditorResult;

/* NULL with errno where the terminal cannot be edited on. */
Editor *editor_open (const EditorHooks *hooks);
void editor_close (Editor *e);

/*
** Reads one entry, beginning with the text `initial` (NULL: empty). `continued`:
** this is the next line of an unfinished entry. *text is the caller's to free.
*/
EditorResult editor_read (Editor *e, const char *initial, bool continued, char **text);

/* There is output: look at the hooks. From any thread, and from signal handlers. */
void editor_wake (void);
/* What a signal handler calls for SIGINT while editor_read runs. */
void editor_interrupt (void);

#endif
