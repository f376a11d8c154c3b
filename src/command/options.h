/*
** The command line, read once before any Lua state exists.
**
** Lua's own short options keep their order, because `-e` and `-l` act one
** after the other; the long options only set fields. Nothing here knows Lua.
*/
#ifndef COMMAND_OPTIONS_H
#define COMMAND_OPTIONS_H

#include <stdbool.h>

typedef enum StepKind {
  STEP_RUN,     /* -e: text is a chunk */
  STEP_REQUIRE, /* -l: text is "module" or "global=module" */
  STEP_WARN     /* -W: text is NULL */
} StepKind;

typedef struct OptionStep {
  StepKind kind;
  const char *text; /* points into argv */
} OptionStep;

typedef struct Options {
  const char *program; /* as the user called it; begins every message */
  int argc;
  char **argv;
  int script;                /* its index in argv; argc when there is none */
  char *flags, **flag_words; /* LUASYNC_FLAGS, cut into words; values point into them */

  OptionStep *steps; /* what -e, -l, -W ask for, in order */
  int step_count;
  bool has_chunk;          /* some -e was given */
  bool interactive;        /* -i */
  bool banner;             /* -v or -i */
  bool ignore_environment; /* -E */
  bool help;               /* -h, --help */
  const char *topic;       /* --help NAME, else NULL */
  bool version;            /* --version */

  /* the simulated world */
  bool virtual_clock; /* --virtual, or implied by the three below */
  bool seeded;        /* --seed N */
  long long seed;
  bool explore;         /* --explore[=N] */
  long long executions; /* N; 0 = until the default budget is used up */
  const char *schedule; /* --replay S, else NULL */

  /* observers, for either world */
  const char *trace;   /* --trace FILE, else NULL */
  bool waits;          /* --waits */
  bool json;           /* --json */
  bool outputs;        /* --outputs */
  bool lock_order;     /* --lock-order */
  bool open;           /* --open */
  bool race;           /* --race */
  bool deadlock_check; /* false after --no-deadlock-check */
} Options;

/*
** Fills `o` from the command line. On a mistake writes one line to stderr and
** returns false. Either way options_free is due afterwards.
*/
bool options_parse (Options *o, int argc, char **argv);
void options_free (Options *o);

#endif
