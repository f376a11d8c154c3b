/*
** output.h - what threads print while an entry is typed.
**
** While an entry is read, text is kept, and the editor shows it above the prompt;
** whole lines, those of each thread put together first. At other times it goes
** straight out.
*/
#ifndef COMMAND_PROMPT_OUTPUT_H
#define COMMAND_PROMPT_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

/* Text is kept from now on; the prompt begins at the beginning of a row. */
void output_begin (void);
/* What is left goes out. */
void output_end (void);

/* real_output: what any thread prints. */
bool output_take (int stream, const char *text, size_t length);

/* Hooks of the editor: whether text is kept, and the text, which is then forgotten. */
bool output_waiting (void *ud);
const char *output_kept (void *ud, size_t *length);

#endif
