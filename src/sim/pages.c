/*
** pages.c - see pages.h.
*/
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "sim/pages.h"

#define ALT_STACK ((size_t)64 << 10)

typedef struct Range {
  char *start;
  size_t pages;
  size_t first; /* the number of its first page among all */
  char *copy;
  const void *owner;
} Range;

struct Pages {
  Range *ranges; /* by address, from pages_watch on */
  size_t range_count, range_capacity;
  size_t count;    /* of all pages */
  size_t *numbers; /* by page: its number among the written ones + 1, or 0 */
  struct {
    uint32_t range;
    uint32_t page; /* in the range */
  } * written;
  size_t written_count;
  char *alt_stack;
  stack_t old_stack;
};

static _Thread_local Pages *watched; /* by this OS thread */

static pthread_mutex_t handler_mu = PTHREAD_MUTEX_INITIALIZER;
static int handler_users;           /* under handler_mu */
static struct sigaction old_action; /* const while there are users */

Pages *pages_new (void) { return calloc(1, sizeof(Pages)); }

static void open_range (const Range *r) {
  mprotect(r->start, r->pages * PAGE, PROT_READ | PROT_WRITE);
}

bool pages_add (Pages *p, void *start, size_t length, const void *owner) {
  Range *r;
  if (length == 0) return true;
  if (p->range_count == p->range_capacity) {
    size_t capacity = p->range_capacity == 0 ? 16 : 2 * p->range_capacity;
    Range *ranges = realloc(p->ranges, capacity * sizeof *ranges);
    if (ranges == NULL) return false;
    p->ranges = ranges;
    p->range_capacity = capacity;
  }
  r = &p->ranges[p->range_count];
  *r = (Range){.start = start, .pages = length / PAGE, .copy = malloc(length), .owner = owner};
  if (r->copy == NULL) return false;
  memcpy(r->copy, start, length);
  p->range_count++;
  p->count += r->pages;
  return true;
}

static int by_address (const void *a, const void *b) {
  const char *x = ((const Range *)a)->start, *y = ((const Range *)b)->start;
  return (x > y) - (x < y);
}

/* The index of the range that holds the address, or SIZE_MAX. */
static size_t find_range (const Pages *p, const char *address) {
  size_t low = 0, high = p->range_count;
  while (low < high) {
    size_t middle = (low + high) / 2;
    const Range *r = &p->ranges[middle];
    if (address < r->start) high = middle;
    else if (address >= r->start + r->pages * PAGE) low = middle + 1;
    else return middle;
  }
  return SIZE_MAX;
}

static void note (Pages *p, size_t range, size_t page) {
  size_t *number = &p->numbers[p->ranges[range].first + page];
  if (*number != 0) return;
  p->written[p->written_count].range = (uint32_t)range;
  p->written[p->written_count].page = (uint32_t)page;
  *number = ++p->written_count;
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
  size_t range = p != NULL ? find_range(p, address) : SIZE_MAX, page;
  if (range == SIZE_MAX) {
    pass_on(signal_number, info, context);
    return;
  }
  page = (size_t)(address - p->ranges[range].start) / PAGE;
  note(p, range, page);
  mprotect(p->ranges[range].start + page * PAGE, PAGE, PROT_READ | PROT_WRITE);
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

bool pages_watch (Pages *p) {
  size_t first = 0;
  qsort(p->ranges, p->range_count, sizeof *p->ranges, by_address);
  for (size_t i = 0; i < p->range_count; i++) {
    p->ranges[i].first = first;
    first += p->ranges[i].pages;
  }
  p->numbers = calloc(p->count + 1, sizeof *p->numbers);
  p->written = malloc((p->count + 1) * sizeof *p->written);
  if (p->numbers == NULL || p->written == NULL || !install(p)) return false;
  for (size_t i = 0; i < p->range_count; i++) {
    const Range *r = &p->ranges[i];
    if (mprotect(r->start, r->pages * PAGE, PROT_READ) == 0) continue;
    for (size_t k = 0; k < r->pages; k++) note(p, i, k);
    open_range(r);
  }
  return true;
}

void pages_free (Pages *p) {
  if (p == NULL) return;
  for (size_t i = 0; i < p->range_count; i++) {
    open_range(&p->ranges[i]);
    free(p->ranges[i].copy);
  }
  uninstall(p);
  free(p->alt_stack);
  free(p->ranges);
  free(p->numbers);
  free(p->written);
  free(p);
}

size_t pages_written (const Pages *p) { return p->written_count; }

size_t pages_number (const Pages *p, const void *address, bool *is_watched) {
  size_t range = find_range(p, address), number;
  *is_watched = range != SIZE_MAX;
  if (range == SIZE_MAX) return SIZE_MAX;
  number = p->numbers[p->ranges[range].first
                      + (size_t)((const char *)address - p->ranges[range].start) / PAGE];
  return number - 1; /* 0 becomes SIZE_MAX */
}

const char *pages_written_page (const Pages *p, size_t number, const char **copy) {
  const Range *r = &p->ranges[p->written[number].range];
  size_t at = p->written[number].page * PAGE;
  *copy = r->copy + at;
  return r->start + at;
}

void pages_restore (Pages *p, size_t first, bool (*unchanged)(void *ud, const void *owner),
                    void *ud) {
  for (size_t i = first; i < p->written_count; i++) {
    const Range *r = &p->ranges[p->written[i].range];
    size_t at = p->written[i].page * PAGE;
    if (!unchanged(ud, r->owner)) memcpy(r->start + at, r->copy + at, PAGE);
  }
}
