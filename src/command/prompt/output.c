/*
** output.c - what threads print while an entry is typed.
*/
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "command/prompt/editor.h"
#include "command/prompt/entries.h"
#include "command/prompt/output.h"
#include "thread/thread.h"

#define KEPT_MOST (256 * 1024) /* bytes; a thread that prints more waits for the terminal */
#define IDLE_PARTIAL 300       /* ms until an unfinished line is shown as it is */

typedef struct OutputText {
  char *bytes;
  size_t length, size;
} OutputText;

/* A line that a thread has begun and not yet ended. */
typedef struct Partial {
  struct Partial *next;
  uint64_t thread; /* its serial; 0: none of ours */
  int stream;
  int64_t since; /* ms */
  OutputText text;
} Partial;

static struct {
  pthread_mutex_t mu;
  pthread_cond_t room; /* kept text has been shown */
  bool reading;        /* under mu: an entry is being read */
  bool line_open;      /* under mu: the cursor is not at the beginning of a row */
  OutputText kept;     /* under mu */
  Partial *partials;   /* under mu */
} out = {.mu = PTHREAD_MUTEX_INITIALIZER, .room = PTHREAD_COND_INITIALIZER};

static int64_t now_ms (void) {
  struct timespec ts;
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* False: no memory; nothing added. */
static bool text_add (OutputText *t, const char *bytes, size_t length) {
  if (t->length + length > t->size) {
    size_t size = 2 * (t->length + length);
    char *new = realloc(t->bytes, size);
    if (new == NULL) return false;
    t->bytes = new;
    t->size = size;
  }
  if (length > 0) memcpy(t->bytes + t->length, bytes, length);
  t->length += length;
  return true;
}

/* The unfinished line of the calling thread on a stream; NULL: no memory. Under mu. */
static Partial *partial_of_caller (int stream) {
  uint64_t serial = thread_self != NULL ? thread_self->serial : 0;
  Partial *p = out.partials;
  while (p != NULL && (p->thread != serial || p->stream != stream)) p = p->next;
  if (p == NULL && (p = calloc(1, sizeof *p)) != NULL) {
    p->thread = serial;
    p->stream = stream;
    p->next = out.partials;
    out.partials = p;
  }
  return p;
}

/*
** Moves unfinished lines that have waited since `before` to the kept text, with a
** line end. Under mu.
*/
static void end_partials (int64_t before) {
  Partial **at = &out.partials;
  while (*at != NULL) {
    Partial *p = *at;
    bool old = p->since <= before;
    if (old && p->text.length > 0) {
      text_add(&out.kept, p->text.bytes, p->text.length);
      text_add(&out.kept, "\n", 1);
      p->text.length = 0;
    }
    if (p->text.length > 0) {
      at = &p->next;
      continue;
    }
    *at = p->next;
    free(p->text.bytes);
    free(p);
  }
}

/*
** Keeps text for the editor: what is whole in lines, and the rest as the beginning
** of one. Under mu.
*/
static bool keep (int stream, const char *text, size_t length) {
  const char *last = memrchr(text, '\n', length);
  size_t whole = last != NULL ? (size_t)(last - text) + 1 : 0;
  Partial *p = partial_of_caller(stream);
  if (p == NULL) return false;
  if (whole > 0) {
    if (!text_add(&out.kept, p->text.bytes, p->text.length)) return false;
    p->text.length = 0;
    if (!text_add(&out.kept, text, whole)) return false;
  }
  if (p->text.length == 0) p->since = now_ms();
  return text_add(&p->text, text + whole, length - whole);
}

/* Straight to the stream; under mu. */
static bool pass_on (int stream, const char *text, size_t length) {
  FILE *f = stream == 1 ? stdout : stderr;
  if (length == 0) return true; /* text may be NULL */
  out.line_open = text[length - 1] != '\n';
  return fwrite(text, 1, length, f) == length;
}

static bool take (int stream, const char *text, size_t length) {
  bool taken;
  pthread_mutex_lock(&out.mu);
  if (!out.reading) taken = pass_on(stream, text, length);
  else {
    taken = keep(stream, text, length);
    editor_wake();
    if (thread_self == NULL || !thread_self->is_main) /* the main thread makes room */
      while (out.reading && out.kept.length > KEPT_MOST) pthread_cond_wait(&out.room, &out.mu);
  }
  pthread_mutex_unlock(&out.mu);
  return taken;
}

/* Reports show the lines of the entries that they name. */
bool output_take (int stream, const char *text, size_t length) {
  char *annotated;
  bool taken;
  if (length == 0 || !isatty(stream)) return false;
  annotated = stream == 2 ? entries_annotate(text, &length) : NULL;
  taken = take(stream, annotated != NULL ? annotated : text, length);
  free(annotated);
  return taken;
}

bool output_waiting (void *ud) {
  bool waiting;
  (void)ud;
  pthread_mutex_lock(&out.mu);
  end_partials(now_ms() - IDLE_PARTIAL);
  waiting = out.kept.length > 0;
  pthread_mutex_unlock(&out.mu);
  return waiting;
}

const char *output_kept (void *ud, size_t *length) {
  static OutputText shown;
  OutputText old = shown;
  (void)ud;
  pthread_mutex_lock(&out.mu);
  shown = out.kept;
  out.kept = old;
  out.kept.length = 0;
  pthread_cond_broadcast(&out.room);
  pthread_mutex_unlock(&out.mu);
  *length = shown.length;
  return shown.bytes;
}

void output_begin (void) {
  pthread_mutex_lock(&out.mu);
  if (out.line_open && isatty(STDOUT_FILENO)) putchar('\n');
  out.line_open = false;
  fflush(stdout);
  out.reading = true;
  pthread_mutex_unlock(&out.mu);
}

void output_end (void) {
  pthread_mutex_lock(&out.mu);
  out.reading = false;
  end_partials(INT64_MAX);
  pass_on(1, out.kept.bytes, out.kept.length);
  fflush(stdout);
  out.kept.length = 0;
  pthread_cond_broadcast(&out.room);
  pthread_mutex_unlock(&out.mu);
}
