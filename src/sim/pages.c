/*
** pages.c - see pages.h.
*/
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/grow.h"
#include "sim/pages.h"

#define NONE UINT32_MAX
#define ALT_STACK ((size_t)64 << 10)
#define CHUNK 32  /* copies in a block of memory */
#define SURVEY 32 /* each of so many times it is looked which pages need not be put back */
#define CALM 4    /* surveys that a page has passed unchanged before it is closed, */
#define NEVER 16  /* and twice as many after each fault; after so many faults no more */

typedef struct Page {
  uint32_t version, first; /* its last copy, and the first one */
  uint32_t number;         /* among the written pages of the first moment + 1, or 0 */
  uint32_t calm;           /* surveys in a row that have found it unchanged */
  uint16_t faults;
  bool closed, known; /* it has been closed before */
} Page;

/* Memory that has been kept. */
typedef struct Range {
  char *start;
  const void *owner;
  uint64_t stamp; /* at the last moment that kept it */
  Page *pages;
  uint32_t count, capacity; /* of pages; all have copies */
  uint32_t known;           /* pages there have been at any moment */
  uint32_t first_count;     /* those of the first moment */
  uint32_t *open;           /* pages that may differ from their last copy; room for all */
  uint32_t open_count, open_capacity;
} Range;

typedef struct Copy {
  uint32_t range, page;
  uint32_t previous; /* of the same page, or NONE */
} Copy;

/* What a range was before a moment. */
typedef struct Change {
  uint32_t range, count;
  uint64_t stamp;
} Change;

/* How much there was before it. */
typedef struct Moment {
  uint32_t copies, changes;
} Moment;

typedef struct Written {
  uint32_t range, page;
} Written;

struct Pages {
  Range *ranges;    /* by number; they stay */
  uint32_t *sorted; /* their numbers by address */
  uint32_t range_count, range_capacity, sorted_capacity;
  Copy *copies;
  char **chunks; /* their bytes */
  uint32_t copy_count, copy_capacity, chunk_count, chunk_capacity;
  Change *changes;
  uint32_t change_count, change_capacity;
  Moment *moments;
  uint32_t moment_count, moment_capacity;
  unsigned restores; /* so often */
  Written *written;  /* room for all pages of the first moment */
  uint32_t written_count, written_capacity;
  char *alt_stack;
  stack_t old_stack;
};

static _Thread_local Pages *watched; /* by this OS thread */

static pthread_mutex_t handler_mu = PTHREAD_MUTEX_INITIALIZER;
static int handler_users;           /* under handler_mu */
static struct sigaction old_action; /* const while there are users */

static char *bytes_of (const Pages *p, uint32_t copy) {
  return p->chunks[copy / CHUNK] + copy % CHUNK * PAGE;
}

static char *page_at (const Range *r, uint32_t page) { return r->start + page * PAGE; }

/* The place in `sorted` of the last range that begins at the address or below it, plus 1; 0: none does. */
static uint32_t find_below (const Pages *p, const char *address) {
  uint32_t low = 0, high = p->range_count;
  while (low < high) {
    uint32_t middle = (low + high) / 2;
    if (p->ranges[p->sorted[middle]].start <= address) low = middle + 1;
    else high = middle;
  }
  return low;
}

/* The number of the range that holds the address, or NONE. */
static uint32_t find_range (const Pages *p, const char *address) {
  uint32_t below = find_below(p, address), range = below > 0 ? p->sorted[below - 1] : NONE;
  if (range == NONE || address >= page_at(&p->ranges[range], p->ranges[range].count)) return NONE;
  return range;
}

/*
** Opening and closing.
*/

static void note_written (Pages *p, uint32_t range, uint32_t page) {
  Page *q = &p->ranges[range].pages[page];
  if (page >= p->ranges[range].first_count || q->number != 0) return;
  p->written[p->written_count] = (Written){range, page};
  q->number = ++p->written_count;
}

/* From now on the page may differ from its copy. */
static void note_open (Pages *p, uint32_t range, uint32_t page) {
  Range *r = &p->ranges[range];
  r->pages[page].closed = false;
  r->open[r->open_count++] = page;
  note_written(p, range, page);
}

static bool protect (const Range *r, uint32_t first, uint32_t count, int how) {
  return count == 0 || mprotect(page_at(r, first), count * PAGE, how) == 0;
}

/* The fault is not ours: as if this handler were not there. */
static void pass_on (int signal_number, siginfo_t *info, void *context) {
  if (old_action.sa_flags & SA_SIGINFO) old_action.sa_sigaction(signal_number, info, context);
  else if (old_action.sa_handler != SIG_DFL && old_action.sa_handler != SIG_IGN)
    old_action.sa_handler(signal_number);
  else signal(signal_number, SIG_DFL); /* the same instruction faults once more */
}

static void on_fault (int signal_number, siginfo_t *info, void *context) {
  Pages *p = watched;
  char *address = info->si_addr;
  uint32_t range = p != NULL ? find_range(p, address) : NONE, page = 0;
  if (range != NONE) page = (uint32_t)((size_t)(address - p->ranges[range].start) / PAGE);
  if (range == NONE || !p->ranges[range].pages[page].closed) {
    pass_on(signal_number, info, context);
    return;
  }
  p->ranges[range].pages[page].faults++;
  note_open(p, range, page);
  protect(&p->ranges[range], page, 1, PROT_READ | PROT_WRITE);
}

static bool install (Pages *p) {
  struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
  stack_t stack = {.ss_size = ALT_STACK};
  p->alt_stack = stack.ss_sp = malloc(ALT_STACK);
  if (p->alt_stack == NULL || sigaltstack(&stack, &p->old_stack) != 0) return false;
  pthread_mutex_lock(&handler_mu);
  if (handler_users++ == 0) sigaction(SIGSEGV, &action, &old_action);
  pthread_mutex_unlock(&handler_mu);
  watched = p;
  return true;
}

static void uninstall (Pages *p) {
  struct sigaction now;
  if (watched != p) return;
  watched = NULL;
  pthread_mutex_lock(&handler_mu);
  if (--handler_users == 0 && sigaction(SIGSEGV, NULL, &now) == 0
      && now.sa_sigaction == on_fault) /* others may have put theirs in front of it */
    sigaction(SIGSEGV, &old_action, NULL);
  pthread_mutex_unlock(&handler_mu);
  sigaltstack(&p->old_stack, NULL);
}

/* Closes pages in a row that are in the list of open ones; false: they stay open for good. */
static bool close_row (Range *r, uint32_t first, uint32_t count) {
  bool good = protect(r, first, count, PROT_READ);
  if (!good) protect(r, first, count, PROT_READ | PROT_WRITE);
  for (uint32_t i = first; i < first + count; i++) {
    r->pages[i].closed = good;
    r->pages[i].known = true;
    r->pages[i].calm = 0;
    if (!good) r->pages[i].faults = NEVER;
  }
  return good;
}

/* Whether it has not been closed yet: only a fault tells that it is written to at all. */
static bool is_new (const Page *q) { return !q->known; }

/*
** Whether it has been as its copy for so long that it is likely to stay so: to close a page and to
** open it again costs as much as to put it back hundreds of times.
*/
static bool is_calm (const Page *q) {
  return q->faults < NEVER && q->calm >= (uint32_t)CALM << q->faults;
}

/* Closes the open pages of the range that are so. They are as their last copies. */
static void close_pages (Range *r, bool (*is_so)(const Page *)) {
  uint32_t first = 0, row = 0, left = 0;
  for (uint32_t i = 0; i < r->open_count; i++) {
    if (!is_so(&r->pages[r->open[i]])) continue;
    if (row > 0 && r->open[i] == first + row) {
      row++;
      continue;
    }
    close_row(r, first, row);
    first = r->open[i];
    row = 1;
  }
  close_row(r, first, row);
  for (uint32_t i = 0; i < r->open_count; i++)
    if (!r->pages[r->open[i]].closed) r->open[left++] = r->open[i];
  r->open_count = left;
}

/*
** Beginning and end.
*/

Pages *pages_new (void) {
  Pages *p = calloc(1, sizeof *p);
  if (p == NULL || install(p)) return p;
  pages_free(p);
  return NULL;
}

void pages_free (Pages *p) {
  if (p == NULL) return;
  for (uint32_t i = 0; i < p->range_count; i++) {
    protect(&p->ranges[i], 0, p->ranges[i].count, PROT_READ | PROT_WRITE);
    free(p->ranges[i].pages);
    free(p->ranges[i].open);
  }
  uninstall(p);
  for (uint32_t i = 0; i < p->chunk_count; i++) free(p->chunks[i]);
  free(p->chunks);
  free(p->ranges);
  free(p->sorted);
  free(p->copies);
  free(p->changes);
  free(p->moments);
  free(p->written);
  free(p->alt_stack);
  free(p);
}

/*
** A moment.
*/

bool pages_begin (Pages *p) {
  if (!grow_list32(&p->moments, &p->moment_capacity, p->moment_count + 1, sizeof *p->moments))
    return false;
  p->moments[p->moment_count++] = (Moment){p->copy_count, p->change_count};
  return true;
}

/* The number of the range that begins there, made where it is new; NONE: no memory. */
static uint32_t range_at (Pages *p, char *start, const void *owner) {
  uint32_t at = find_below(p, start);
  if (at > 0 && p->ranges[p->sorted[at - 1]].start == start) return p->sorted[at - 1];
  if (!grow_list32(&p->ranges, &p->range_capacity, p->range_count + 1, sizeof *p->ranges)
      || !grow_list32(&p->sorted, &p->sorted_capacity, p->range_count + 1, sizeof *p->sorted))
    return NONE;
  memmove(p->sorted + at + 1, p->sorted + at, (p->range_count - at) * sizeof *p->sorted);
  p->sorted[at] = p->range_count;
  p->ranges[p->range_count] = (Range){.start = start, .owner = owner};
  return p->range_count++;
}

static bool reserve_copies (Pages *p, uint32_t more) {
  uint32_t wanted = p->copy_count + more;
  if (!grow_list32(&p->copies, &p->copy_capacity, wanted, sizeof *p->copies)
      || !grow_list32(&p->chunks, &p->chunk_capacity, wanted / CHUNK + 1, sizeof *p->chunks))
    return false;
  while (p->chunk_count < wanted / CHUNK + 1) {
    char *chunk = malloc(CHUNK * PAGE);
    if (chunk == NULL) return false;
    p->chunks[p->chunk_count++] = chunk;
  }
  return true;
}

/* There must be room. */
static void copy_page (Pages *p, uint32_t range, uint32_t page) {
  Range *r = &p->ranges[range];
  Page *q = &r->pages[page];
  p->copies[p->copy_count] = (Copy){range, page, q->version};
  if (q->version == NONE) q->first = p->copy_count;
  q->version = p->copy_count;
  memcpy(bytes_of(p, p->copy_count++), page_at(r, page), PAGE);
}

/* The range ends at that page now. All pages that are new are open. */
static void extend (Pages *p, uint32_t range, uint32_t count) {
  Range *r = &p->ranges[range];
  for (; r->known < count; r->known++) r->pages[r->known] = (Page){.version = NONE};
  for (; r->count < count; r->count++) r->open[r->open_count++] = r->count;
  if (p->moment_count == 1) r->first_count = r->count;
}

bool pages_keep (Pages *p, char *at, const char *end, const void *owner, uint64_t stamp) {
  uint32_t range = range_at(p, at, owner);
  uint32_t count = end <= at ? 0 : (uint32_t)((size_t)(end - at - 1) / PAGE + 1);
  Range *r = range != NONE ? &p->ranges[range] : NULL;
  if (r == NULL) return false;
  if (owner != NULL && r->count > 0 && r->stamp == stamp) return true;
  if (count < r->count) count = r->count;
  if (!grow_list32(&r->pages, &r->capacity, count, sizeof *r->pages)
      || !grow_list32(&r->open, &r->open_capacity, count, sizeof *r->open)
      || !reserve_copies(p, r->open_count + count - r->count)
      || !grow_list32(&p->changes, &p->change_capacity, p->change_count + 1, sizeof *p->changes))
    return false;
  p->changes[p->change_count++] = (Change){range, r->count, r->stamp};
  extend(p, range, count);
  for (uint32_t i = 0; i < r->open_count; i++) copy_page(p, range, r->open[i]);
  r->stamp = stamp;
  return true;
}

bool pages_end (Pages *p) {
  const Moment *m = &p->moments[p->moment_count - 1];
  uint32_t count = 0;
  for (uint32_t i = 0; i < p->range_count; i++) count += p->ranges[i].first_count;
  if (!grow_list32(&p->written, &p->written_capacity, count, sizeof *p->written)) return false;
  for (uint32_t i = m->changes; i < p->change_count; i++) {
    uint32_t range = p->changes[i].range;
    const Range *r = &p->ranges[range];
    close_pages(&p->ranges[range], is_new);
    for (uint32_t k = 0; k < r->open_count; k++) note_written(p, range, r->open[k]);
  }
  return true;
}

/* Opens pages in a row; they are in the list already. */
static void open_row (const Pages *p, uint32_t range, uint32_t first, uint32_t count) {
  if (count > 0) protect(&p->ranges[range], first, count, PROT_READ | PROT_WRITE);
}

/* Whether the page was the same when the copy before was made. */
static bool is_as_before (const Pages *p, const Copy *c) {
  return c->previous != NONE
         && memcmp(bytes_of(p, c->previous), bytes_of(p, (uint32_t)(c - p->copies)), PAGE) == 0;
}

/* The copies that the moment has made go, and their pages are open, unless these were so before. */
static void drop_copies (Pages *p, uint32_t left) {
  uint32_t range = 0, first = 0, row = 0;
  while (p->copy_count > left) {
    const Copy *c = &p->copies[--p->copy_count];
    Page *q = &p->ranges[c->range].pages[c->page];
    q->version = c->previous;
    if (!q->closed || is_as_before(p, c)) continue;
    note_open(p, c->range, c->page);
    if (row == 0 || c->range != range || c->page + 1 != first) {
      open_row(p, range, first, row);
      row = 0;
    }
    range = c->range;
    first = c->page;
    row++;
  }
  open_row(p, range, first, row);
}

void pages_drop (Pages *p) {
  Moment m = p->moments[--p->moment_count];
  drop_copies(p, m.copies);
  while (p->change_count > m.changes) {
    const Change *c = &p->changes[--p->change_count];
    Range *r = &p->ranges[c->range];
    uint32_t left = 0;
    r->count = c->count;
    r->stamp = c->stamp;
    for (uint32_t i = 0; i < r->open_count; i++)
      if (r->open[i] < r->count) r->open[left++] = r->open[i];
    r->open_count = left;
  }
}

/* Puts the open pages of the range back. In a survey it closes those that were as their copies long enough. */
static void restore_range (const Pages *p, Range *r, bool survey) {
  bool any = false;
  for (uint32_t i = 0; i < r->open_count; i++) {
    Page *q = &r->pages[r->open[i]];
    char *page = page_at(r, r->open[i]);
    const char *copy = bytes_of(p, q->version);
    if (survey) {
      q->calm = memcmp(page, copy, PAGE) == 0 ? q->calm + 1 : 0;
      any |= is_calm(q);
    }
    memcpy(page, copy, PAGE);
  }
  if (any) close_pages(r, is_calm);
}

void pages_restore (Pages *p, bool (*unchanged)(void *ud, const void *owner), void *ud) {
  bool survey = ++p->restores % SURVEY == 0;
  for (uint32_t i = 0; i < p->range_count; i++) {
    Range *r = &p->ranges[i];
    if (r->open_count > 0 && (r->owner == NULL || !unchanged(ud, r->owner)))
      restore_range(p, r, survey);
  }
}

/*
** Since the first moment.
*/

size_t pages_written (const Pages *p) { return p->written_count; }

size_t pages_number (const Pages *p, const void *address, bool *is_first) {
  uint32_t range = find_range(p, address), page = 0;
  if (range != NONE)
    page = (uint32_t)((size_t)((const char *)address - p->ranges[range].start) / PAGE);
  *is_first = range != NONE && page < p->ranges[range].first_count;
  if (!*is_first) return SIZE_MAX;
  return (size_t)p->ranges[range].pages[page].number - 1; /* 0 becomes SIZE_MAX */
}

const char *pages_written_page (const Pages *p, size_t number, const char **copy) {
  const Written *w = &p->written[number];
  const Range *r = &p->ranges[w->range];
  *copy = bytes_of(p, r->pages[w->page].first);
  return page_at(r, w->page);
}
