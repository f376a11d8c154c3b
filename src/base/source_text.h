/*
** source_text.h - the texts of chunks, for messages that look at the source.
*/
#ifndef BASE_SOURCE_TEXT_H
#define BASE_SOURCE_TEXT_H

#include <stddef.h>

/*
** The text of a chunk, malloc'ed, with a zero behind it; NULL: nobody knows it. `source` is
** as in lua_Debug: "@x.lua" is a file, "=stdin" is looked for among those noted.
*/
char *source_text_of (const char *source, size_t *length);

/*
** A chunk that is no file has that text; both stay. Of two chunks of one name no text is
** certain. Before there are threads.
*/
void source_text_note (const char *source, const char *text);

/* Who else knows chunks that are no files, from now on: as source_text_of. Any thread asks. */
void source_text_ask (char *(*more)(const char *source, size_t *length));

#endif
