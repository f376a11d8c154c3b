/*
** pages.h - which pages of memory have been written since they were first copied.
**
** Copied pages are write-protected; the first write to one is noted by a handler
** of SIGSEGV, which opens the page for good. So a page that has not been noted is
** as it was, and a page that is written again and again costs one fault in all.
*/
#ifndef SIM_PAGES_H
#define SIM_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE ((size_t)4096)

typedef struct Pages Pages;

/* Nothing is watched yet. One at a time on an OS thread. NULL: no memory. */
Pages *pages_new (void);
/* Opens all pages and frees the copies. */
void pages_free (Pages *p);

/*
** Copies `length` bytes, whole pages from a page's start on, to be watched from
** pages_watch on. `owner` is for pages_restore. False: no memory.
*/
bool pages_add (Pages *p, void *start, size_t length, const void *owner);
/* False: they cannot be protected; all pages count as written then. */
bool pages_watch (Pages *p);

/*
** How many have been written since pages_watch: they have the numbers 0 .. n-1, in the
** order of their first write.
*/
size_t pages_written (const Pages *p);
/*
** The number of the page at this address, or SIZE_MAX: it has not been written.
** *watched: it is one of them.
*/
size_t pages_number (const Pages *p, const void *address, bool *watched);

/* The written page with this number, and what it held at first. */
const char *pages_written_page (const Pages *p, size_t number, const char **copy);

/* Puts back the pages with the numbers from `first` on, but those whose owner is unchanged. */
void pages_restore (Pages *p, size_t first, bool (*unchanged)(void *ud, const void *owner),
                    void *ud);

#endif
