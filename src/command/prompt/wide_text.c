/*
** wide_text.c - the editor's texts: wide strings, their lines, and the room they take.
*/
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wctype.h>

#include "command/prompt/wide_text.h"

void *wide_text_must (void *block) {
  if (block == NULL) {
    fputs("luasync: not enough memory for the line editor\n", stderr);
    abort();
  }
  return block;
}

wchar_t *wide_text_copy (const wchar_t *text, size_t length) {
  wchar_t *new = wide_text_must(malloc((length + 1) * sizeof *new));
  wmemcpy(new, text, length);
  new[length] = L'\0';
  return new;
}

void wide_text_set (wchar_t **variable, wchar_t *text) {
  free(*variable);
  *variable = text;
}

/* Decodes one character of n > 0 bytes; returns how many it takes, 0: more are needed. */
size_t wide_text_decode (const unsigned char *s, size_t n, wchar_t *c) {
  static const wchar_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  size_t size = s[0] < 0x80   ? 1
                : s[0] < 0xC2 ? 0
                : s[0] < 0xE0 ? 2
                : s[0] < 0xF0 ? 3
                : s[0] < 0xF5 ? 4
                              : 0;
  wchar_t value = size == 1 ? s[0] : (wchar_t)(s[0] & (0x7F >> size));
  for (size_t i = 1; i < size; i++) {
    if (i == n) return 0;
    if ((s[i] & 0xC0) != 0x80) size = 0;
    value = value << 6 | (s[i] & 0x3F);
  }
  if (size == 0 || value < least[size] || value > 0x10FFFF || (value >= 0xD800 && value < 0xE000)) {
    *c = BYTE_BASE + s[0];
    return 1;
  }
  *c = value;
  return size;
}

wchar_t *wide_text_from (const char *text, size_t length) {
  wchar_t *new = wide_text_must(malloc((length + 1) * sizeof *new));
  size_t n = 0;
  for (size_t i = 0; i < length; n++) {
    size_t used = wide_text_decode((const unsigned char *)text + i, length - i, &new[n]);
    if (used == 0) {
      new[n] = BYTE_BASE + (unsigned char)text[i];
      used = 1;
    }
    if (new[n] == L'\0') new[n] = 0xFFFD; /* wide strings end at a zero */
    i += used;
  }
  new[n] = L'\0';
  return new;
}

static char *encode (char *to, wchar_t c) {
  if (c >= BYTE_BASE + 0x80 && c <= BYTE_BASE + 0xFF) *to++ = (char)(c - BYTE_BASE);
  else if (c < 0x80) *to++ = (char)c;
  else {
    int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    *to++ = (char)((0xFF00 >> (more + 1) & 0xFF) | c >> 6 * more);
    while (more-- > 0) *to++ = (char)(0x80 | (c >> 6 * more & 0x3F));
  }
  return to;
}

char *wide_text_to_bytes (const wchar_t *text, size_t length) {
  char *new = wide_text_must(malloc(length * 4 + 1)), *end = new;
  for (size_t i = 0; i < length; i++) end = encode(end, text[i]);
  *end = '\0';
  return new;
}

wchar_t *wide_text_join (const wchar_t *a, const wchar_t *b, size_t b_length, const wchar_t *c) {
  size_t n = wcslen(a), m = wcslen(c);
  wchar_t *new = wide_text_must(malloc((n + b_length + m + 1) * sizeof *new));
  wmemcpy(new, a, n);
  wmemcpy(new + n, b, b_length);
  wmemcpy(new + n + b_length, c, m + 1);
  return new;
}

int wide_text_lines (const wchar_t *text) {
  int n = 0;
  for (; *text != L'\0'; text++) n += *text == L'\n';
  return n;
}

/* The beginning and the end of the line the position is in. */
size_t wide_text_line_start (const wchar_t *text, size_t position) {
  while (position > 0 && text[position - 1] != L'\n') position--;
  return position;
}

size_t wide_text_line_end (const wchar_t *text, size_t position, size_t length) {
  while (position < length && text[position] != L'\n') position++;
  return position;
}

/*
** Rows on the screen, by libedit's rules.
*/

int wide_text_char_width (wchar_t c, int column) {
  int width;
  if (c == L'\t') return 8 - column % 8;
  if (c < 0x20 || c == 0x7F) return 2;
  width = iswprint((wint_t)c) ? wcwidth(c) : c > 0xFFFF ? 9 : 8;
  return width < 0 ? 0 : width;
}

/* The rows that n characters take behind `column`, 1 at least; *column is where they end. */
int wide_text_rows (const wchar_t *text, size_t n, int columns, int *column) {
  int rows = 1, at = *column;
  for (size_t i = 0; i < n; i++) {
    int width = wide_text_char_width(text[i], at);
    if (text[i] == L'\n') {
      rows++;
      at = 0;
      continue;
    }
    if (at + width > columns && width <= 2) {
      rows++;
      at = 0;
    }
    at += width;
    while (at >= columns) {
      rows++;
      at -= columns;
    }
  }
  *column = at;
  return rows;
}
