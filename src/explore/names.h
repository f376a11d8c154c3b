/*
** names.h - numbers for threads, objects and keys that are the same in every
** execution.
**
** Serials and addresses go by order in the whole world. The n-th object that the
** k-th thread of main has made is the same object whatever the schedule was.
*/
#ifndef EXPLORE_NAMES_H
#define EXPLORE_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct NameTable NameTable;

NameTable *name_table (void); /* NULL: no memory */
void name_table_free (NameTable *t);
/* The number of these bytes, from 0; UINT32_MAX: no memory. */
uint32_t name_number (NameTable *t, const void *bytes, size_t length);
/* Whether that has happened. */
bool name_table_is_short (const NameTable *t);

#endif
