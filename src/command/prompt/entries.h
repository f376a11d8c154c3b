/*
** entries.h - the texts of a session's entries, for whoever names a place in one.
**
** The chunk of the seventh entry is called "[7]", so a place in it reads "[7]:1".
** Threads of any kind may ask.
*/
#ifndef COMMAND_PROMPT_ENTRIES_H
#define COMMAND_PROMPT_ENTRIES_H

#include <stddef.h>

/* The text of the entry `number`, from 1 on, one after the other. */
void entries_note (int number, const char *text, size_t length);

/*
** The text with the source line of each place that it names, below the line that names
** it first and its hint; malloc'ed, *length changed. NULL: there is none, or no memory.
*/
char *entries_annotate (const char *text, size_t *length);

/* For source_text_ask: the text of the chunk "=[7]". */
char *entries_text (const char *source, size_t *length);

#endif
