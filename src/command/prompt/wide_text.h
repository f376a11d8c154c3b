/*
** wide_text.h - the editor's texts.
**
** Characters are wide. A byte that is not UTF-8 becomes U+DC00 + byte, as no
** character does, and turns back into itself at the end. The functions that
** make a text return it malloc'ed; without memory for that there is no editing,
** and the process ends with a message.
*/
#ifndef COMMAND_PROMPT_WIDE_TEXT_H
#define COMMAND_PROMPT_WIDE_TEXT_H

#include <stddef.h>
#include <wchar.h>

#define BYTE_BASE 0xDC00 /* plus a byte 0x80.. that is not UTF-8 */

/* The block, unless it is NULL. */
void *wide_text_must (void *block);

wchar_t *wide_text_copy (const wchar_t *text, size_t length);
/* a, the first b_length characters of b, c. */
wchar_t *wide_text_join (const wchar_t *a, const wchar_t *b, size_t b_length, const wchar_t *c);
/* Frees the text in the variable and puts another in its place. */
void wide_text_set (wchar_t **variable, wchar_t *text);

/* Decodes one character of n > 0 bytes; returns how many it takes, 0: more are needed. */
size_t wide_text_decode (const unsigned char *s, size_t n, wchar_t *c);
wchar_t *wide_text_from (const char *text, size_t length);
char *wide_text_to_bytes (const wchar_t *text, size_t length);

/* How many line ends there are. */
int wide_text_lines (const wchar_t *text);
/* The beginning and the end of the line the position is in. */
size_t wide_text_line_start (const wchar_t *text, size_t position);
size_t wide_text_line_end (const wchar_t *text, size_t position, size_t length);

/* The columns a character takes at a column, as libedit shows it. */
int wide_text_char_width (wchar_t c, int column);
/* The rows that n characters take behind `column`, 1 at least; *column is where they end. */
int wide_text_rows (const wchar_t *text, size_t n, int columns, int *column);

#endif
