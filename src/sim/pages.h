/*
** pages.h - what pages of memory held at each of some moments: of a page that has not
** changed between two of them there is one copy.
**
**     pages_begin(p);                         // a moment
**     pages_keep(p, …); pages_keep(p, …);     // … all memory that belongs to it
**     pages_end(p);
**     … another moment, and others after it …
**     pages_drop(p);                          // the last one is forgotten
**     pages_restore(p, …);                    // to the one that is the last now
**
** Pages that have been copied are write-protected; a write to one is noted by a handler
** of SIGSEGV, which opens it. So a page that is closed is as it was copied last. One that
** is written again and again stays open, and is copied each time.
*/
#ifndef SIM_PAGES_H
#define SIM_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE ((size_t)4096)

typedef struct Pages Pages;

/* One at a time on an OS thread. NULL: no memory. */
Pages *pages_new (void);
/* Opens all pages and frees the copies. */
void pages_free (Pages *p);

/* False: no memory, and no moment has begun. */
bool pages_begin (Pages *p);
/*
** What lies from `at`, a page's start, up to `end`, with the rest of the last page. The
** same memory begins at the same address each time, and ends no earlier than at the moment
** before. With an owner it is as it was then if the stamp is the same. False: no memory, and
** pages_drop is due, as where pages_end returns that.
*/
bool pages_keep (Pages *p, char *at, const char *end, const void *owner, uint64_t stamp);
bool pages_end (Pages *p);

void pages_drop (Pages *p);
/* Puts back all but the memory whose owner is unchanged since then. */
void pages_restore (Pages *p, bool (*unchanged)(void *ud, const void *owner), void *ud);

/*
** Pages of the first moment that have been written since have the numbers 0 .. n-1, in the
** order of their first write.
*/
size_t pages_written (const Pages *p);
/*
** The number of the page at this address, or SIZE_MAX: it has not been written. *is_first:
** it is a page of the first moment.
*/
size_t pages_number (const Pages *p, const void *address, bool *is_first);
/* The written page with this number, and what it held at first. */
const char *pages_written_page (const Pages *p, size_t number, const char **copy);

#endif
