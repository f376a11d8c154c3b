/*
** keys.c - what comes from the keyboard.
*/
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "command/prompt/keys.h"
#include "command/prompt/wide_text.h"

#define ESCAPE_WAIT 50  /* ms: a lone Escape is no sequence after that */
#define PASTE_WAIT 2000 /* ms: a paste whose end never comes */

int64_t keys_now (void) {
  struct timespec ts;
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int keys_byte (int ms) {
  struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
  unsigned char byte;
  ssize_t n;
  int64_t until = keys_now() + ms;
  for (;;) {
    int64_t left = until - keys_now();
    if (poll(&p, 1, left > 0 ? (int)left : 0) <= 0) {
      if (left <= 0) return -1;
      continue;
    }
    n = read(STDIN_FILENO, &byte, 1);
    if (n == 1) return byte;
    if (n == 0 || (errno != EINTR && errno != EAGAIN)) return -2;
  }
}

wchar_t keys_char (int first) {
  unsigned char bytes[4] = {(unsigned char)first};
  size_t n = 1;
  wchar_t c;
  while (wide_text_decode(bytes, n, &c) == 0) {
    int next = keys_byte(ESCAPE_WAIT);
    if (next < 0) return BYTE_BASE + first;
    bytes[n++] = (unsigned char)next;
  }
  return c;
}

/* Bytes up to the end of a bracketed paste. */
static char *read_paste (size_t *length) {
  static const char end[] = "\033[201~";
  size_t size = 4096, n = 0, mark = sizeof end - 1;
  char *text = wide_text_must(malloc(size));
  int byte;
  while ((byte = keys_byte(PASTE_WAIT)) >= 0) {
    if (n == size) text = wide_text_must(realloc(text, size *= 2));
    text[n++] = (char)byte;
    if (n >= mark && memcmp(text + n - mark, end, mark) == 0) {
      n -= mark;
      break;
    }
  }
  *length = n;
  return text;
}

/* Line ends become \n; the last ones go, so that Enter is the user's. */
wchar_t *keys_paste (void) {
  size_t length, n = 0;
  char *text = read_paste(&length), previous = 0;
  wchar_t *pasted;
  for (size_t i = 0; i < length; i++) {
    char c = text[i];
    if (c != '\n' || previous != '\r') text[n++] = c == '\r' ? '\n' : c;
    previous = c;
  }
  while (n > 0 && text[n - 1] == '\n') n--;
  pasted = wide_text_from(text, n);
  free(text);
  return pasted;
}

void keys_sequence (char text[KEYS_SEQUENCE]) {
  size_t n = 0;
  int byte = keys_byte(ESCAPE_WAIT);
  if (byte >= 0) text[n++] = (char)byte;
  if (byte == '[' || byte == 'O')
    while (n + 1 < KEYS_SEQUENCE && (byte = keys_byte(ESCAPE_WAIT)) >= 0) {
      text[n++] = (char)byte;
      if (byte >= 0x40 && byte <= 0x7E) break;
    }
  text[n] = '\0';
}
