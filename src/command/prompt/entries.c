/*
** entries.c - the texts of a session's entries, and reports that show their lines.
*/
#include <ctype.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command/prompt/entries.h"

#define SHOWN_MOST 64 /* places of one text */
#define WIDEST 100    /* bytes of a source line */

typedef struct EntryPlace {
  int entry, line;
} EntryPlace;

static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
static char **texts;        /* under mu; number n is texts[n - 1], NULL where there was no memory */
static int count, capacity; /* under mu */

void entries_note (int number, const char *text, size_t length) {
  pthread_mutex_lock(&mu);
  if (number > capacity) {
    int more = 2 * number + 16;
    char **grown = realloc(texts, (size_t)more * sizeof *grown);
    if (grown != NULL) {
      texts = grown;
      capacity = more;
    }
  }
  if (number == count + 1 && number <= capacity) texts[count++] = strndup(text, length);
  pthread_mutex_unlock(&mu);
}

char *entries_text (const char *source, size_t *length) {
  char *text = NULL;
  int number;
  if (sscanf(source, "=[%9d]", &number) != 1 || number < 1) return NULL;
  pthread_mutex_lock(&mu);
  if (number <= count && texts[number - 1] != NULL) text = strdup(texts[number - 1]);
  pthread_mutex_unlock(&mu);
  if (text != NULL) *length = strlen(text);
  return text;
}

/* Reads "[7]:1" at `p`; where it ends, or NULL. */
static const char *read_place (const char *p, const char *end, EntryPlace *place) {
  int *numbers[] = {&place->entry, &place->line};
  for (int i = 0; i < 2; i++) {
    const char *mark = i == 0 ? "[" : "]:";
    size_t n = strlen(mark);
    if ((size_t)(end - p) <= n || memcmp(p, mark, n) != 0 || !isdigit((unsigned char)p[n]))
      return NULL;
    *numbers[i] = 0;
    for (p += n; p < end && isdigit((unsigned char)*p) && *numbers[i] < 10000000; p++)
      *numbers[i] = 10 * *numbers[i] + (*p - '0');
  }
  return p;
}

/* The line of the entry, without the blanks around it; NULL: there is none. Under mu. */
static const char *source_line (EntryPlace place, size_t *length) {
  const char *text = place.entry >= 1 && place.entry <= count ? texts[place.entry - 1] : NULL;
  for (int line = 1; text != NULL && line < place.line; line++) {
    text = strchr(text, '\n');
    if (text != NULL) text++;
  }
  if (text == NULL) return NULL;
  text += strspn(text, " \t");
  *length = strcspn(text, "\n");
  while (*length > 0 && isspace((unsigned char)text[*length - 1])) --*length;
  return *length > 0 ? text : NULL;
}

/* Whether the place is new; notes it. */
static bool is_new (EntryPlace *shown, int *n, EntryPlace place) {
  for (int i = 0; i < *n; i++)
    if (shown[i].entry == place.entry && shown[i].line == place.line) return false;
  if (*n == SHOWN_MOST) return false;
  shown[(*n)++] = place;
  return true;
}

/* How many of the first n bytes are whole characters. */
static size_t whole (const char *text, size_t n) {
  while (n > 0 && ((unsigned char)text[n] & 0xC0) == 0x80) n--;
  return n;
}

/* Writes the source lines of the places in a line of a text. Under mu. */
static int put_lines (FILE *out, const char *line, const char *end, EntryPlace *shown, int *n) {
  int blanks = 0, added = 0;
  EntryPlace place;
  while (line + blanks < end && (line[blanks] == ' ' || line[blanks] == '\t')) blanks++;
  for (const char *p = line; p < end; p++) {
    size_t length;
    const char *source, *stop = *p == '[' ? read_place(p, end, &place) : NULL;
    if (stop == NULL || (source = source_line(place, &length)) == NULL) continue;
    if (!is_new(shown, n, place)) continue;
    bool cut = length > WIDEST;
    if (cut) length = whole(source, WIDEST);
    fprintf(out, "%.*s    [%d]:%d | %.*s%s\n", blanks, line, place.entry, place.line, (int)length,
            source, cut ? " ..." : "");
    added++;
  }
  return added;
}

static bool is_hint (const char *line, const char *end) {
  static const char mark[] = "hint: ";
  return (size_t)(end - line) >= sizeof mark - 1 && memcmp(line, mark, sizeof mark - 1) == 0;
}

char *entries_annotate (const char *text, size_t *length) {
  EntryPlace shown[SHOWN_MOST];
  const char *end = text + *length, *line = NULL; /* the one whose places are to be shown */
  int n = 0, added = 0;
  size_t made;
  char *annotated = NULL;
  FILE *out;
  if (memmem(text, *length, "]:", 2) == NULL) return NULL;
  if ((out = open_memstream(&annotated, &made)) == NULL) return NULL;
  pthread_mutex_lock(&mu);
  while (text < end) {
    const char *stop = memchr(text, '\n', (size_t)(end - text));
    const char *next = stop != NULL ? stop + 1 : end;
    fwrite(text, 1, (size_t)(next - text), out);
    if (line == NULL || !is_hint(text, next)) line = text;
    text = next;
    if (stop != NULL && !is_hint(next, end))
      added += put_lines(out, line, memchr(line, '\n', (size_t)(end - line)), shown, &n);
  }
  pthread_mutex_unlock(&mu);
  if (fclose(out) == 0 && added > 0) {
    *length = made;
    return annotated;
  }
  free(annotated);
  return NULL;
}
