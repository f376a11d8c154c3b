/*
** replay_line.c - the line that repeats a simulated run: the command as it was
** given, quoted for a shell, with the schedule in place of the options that
** chose it. A schedule too long for a command line leaves those as they are.
*/
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command/replay_line.h"

#define LONGEST 100000 /* of a schedule; systems take 128 KiB in one argument */

/* Appends a word, in quotes where a shell would do something with it. */
static void put_word (FILE *out, const char *word) {
  static const char plain[] =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./:,@%";
  fputc(' ', out);
  if (*word != '\0' && strspn(word, plain) == strlen(word)) {
    fputs(word, out);
    return;
  }
  fputc('\'', out);
  for (; *word != '\0'; word++)
    if (*word == '\'') fputs("'\\''", out);
    else fputc(*word, out);
  fputc('\'', out);
}

/* How many words at argv[i] choose the schedule: 0, 1 or 2. */
static int choosing (char **argv, int i) {
  static const char *const names[] = {"--seed", "--replay"};
  if (strcmp(argv[i], "--virtual") == 0) return 1;
  for (int k = 0; k < 2; k++) {
    size_t length = strlen(names[k]);
    if (strncmp(argv[i], names[k], length) != 0) continue;
    if (argv[i][length] == '=') return 1;
    if (argv[i][length] == '\0') return 2;
  }
  return 0;
}

/* The arguments: all, or those that do not choose the schedule. */
static void put_arguments (FILE *out, const Options *o, bool all) {
  for (int i = 1; i < o->argc; i++) {
    int skipped = all || i >= o->script ? 0 : choosing(o->argv, i);
    if (skipped > 0) i += skipped - 1;
    else put_word(out, o->argv[i]);
    if (i < o->script && strcmp(o->argv[i], "-e") == 0 && i + 1 < o->argc)
      put_word(out, o->argv[++i]);
  }
}

void replay_line_print (const Options *o, const SimReport *r) {
  char *schedule = schedule_text(&r->schedule), *line = NULL;
  size_t size;
  FILE *out = open_memstream(&line, &size);
  bool fits = schedule != NULL && strlen(schedule) < LONGEST;
  bool whole = out != NULL;
  if (whole) {
    fprintf(out, "replay: %s", o->program);
    if (fits) fprintf(out, " --replay \"%s\"", schedule);
    put_arguments(out, o, !fits);
    fputc('\n', out);
    whole = !ferror(out);
    whole = fclose(out) == 0 && whole && line != NULL;
  }
  fputs(whole ? line : "(not enough memory for the line that repeats this run)\n", stderr);
  if (!r->closed)
    fputs(
        "(not closed: the run asked something outside its world, another may get another answer)\n",
        stderr);
  free(line);
  free(schedule);
}
