/*
** editor_undo.h - taking changes of an entry back.
*/
#ifndef COMMAND_PROMPT_EDITOR_UNDO_H
#define COMMAND_PROMPT_EDITOR_UNDO_H

#include "command/prompt/editor_actions.h"

/* Notes the entry, if it has changed; called before each key. */
void editor_undo_note (Editor *e);
/* Forgets all, for another entry. */
void editor_undo_clear (Editor *e);

/* Actions: back to what was before the last change, and forward again. */
void editor_undo (Editor *e);
void editor_redo (Editor *e);

#endif
