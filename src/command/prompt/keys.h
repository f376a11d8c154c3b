/*
** keys.h - what comes from the keyboard: bytes, characters, sequences.
**
** Bytes are read one at a time and only when they are wanted: what is typed
** ahead may be meant for a program that reads the terminal itself.
*/
#ifndef COMMAND_PROMPT_KEYS_H
#define COMMAND_PROMPT_KEYS_H

#include <stdint.h>
#include <wchar.h>

#define KEYS_SEQUENCE 16 /* bytes, the final zero included */

/* Milliseconds on the monotonic clock. */
int64_t keys_now (void);
/* One byte within `ms`; -1: nothing came, -2: the terminal is gone. */
int keys_byte (int ms);
/* The character that begins with the byte `first`. */
wchar_t keys_char (int first);
/* The text behind the beginning of a bracketed paste, malloc'ed. */
wchar_t *keys_paste (void);
/* What follows an Escape: "[A", "b"; "" where it stands alone. */
void keys_sequence (char text[KEYS_SEQUENCE]);

#endif
