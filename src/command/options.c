/*
** options.c - reading the command line (see options.h).
**
** A short option is checked by its second character only, as Lua does; a
** long one is looked up in a table that says whether it takes a value and
** which function stores it.
*/
#include "command/options.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The arguments still to be read: `next` is the index after the current one. */
typedef struct OptionReader {
  Options *o;
  int argc;
  char **argv;
  int next;
} OptionReader;

/*
** Mistakes.
*/

static bool mistake (const Options *o, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Always false, so that callers can return it. */
static bool mistake (const Options *o, const char *format, ...) {
  va_list args;
  fflush(stdout);
  fprintf(stderr, "%s: ", o->program);
  va_start(args, format);
  vfprintf(stderr, format, args);
  va_end(args);
  fputc('\n', stderr);
  return false;
}

static bool bad_value (const Options *o, const char *name, const char *value,
                       const char *expected) {
  return mistake(o, "bad value '%s' for option '%s' (%s expected)", value, name, expected);
}

/*
** Values of long options.
*/

static bool parse_integer (const char *text, long long *result) {
  char *end;
  errno = 0;
  *result = strtoll(text, &end, 10);
  return end != text && *end == '\0' && errno == 0 && !strchr(" \t\n\v\f\r", text[0]);
}

static bool set_virtual (Options *o, const char *name, const char *value) {
  (void)name;
  (void)value;
  o->virtual_clock = true;
  return true;
}

static bool set_seed (Options *o, const char *name, const char *value) {
  if (!parse_integer(value, &o->seed)) return bad_value(o, name, value, "integer");
  o->seeded = o->virtual_clock = true;
  return true;
}

static bool set_explore (Options *o, const char *name, const char *value) {
  if (value && (!parse_integer(value, &o->executions) || o->executions < 1))
    return bad_value(o, name, value, "positive integer");
  o->explore = o->virtual_clock = true;
  return true;
}

static bool set_replay (Options *o, const char *name, const char *value) {
  if (*value == '\0') return bad_value(o, name, value, "schedule");
  o->schedule = value;
  o->virtual_clock = true;
  return true;
}

static bool set_trace (Options *o, const char *name, const char *value) {
  static const char *const endings[] = {".html", ".json", ".mmd", ".svg", ".txt"};
  size_t length = strlen(value);
  if (strcmp(value, "-") == 0) {
    o->trace = value;
    return true;
  }
  for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
    size_t n = strlen(endings[i]);
    if (length > n && strcmp(value + length - n, endings[i]) == 0) {
      o->trace = value;
      return true;
    }
  }
  return bad_value(o, name, value, "file name with .html, .json, .mmd, .svg or .txt");
}

static bool set_json (Options *o, const char *name, const char *value) {
  (void)name;
  (void)value;
  o->json = true;
  return true;
}

static bool set_outputs (Options *o, const char *name, const char *value) {
  (void)name;
  (void)value;
  o->outputs = true;
  return true;
}

static bool set_waits (Options *o, const char *name, const char *value) {
  (void)name;
  (void)value;
  o->waits = true;
  return true;
}

static bool set_lock_order (Options *o, const char *name, const char *value) {
  (void)name;
  (void)value;
  o->lock_order = true;
  return true;
}

static bool set_open (Options *o, const char *name, const char *value) {
  (void)name;
  (void)value;
  o->open = true;
  return true;
}

static bool set_race (Options *o, const char *name, const char *value) {
  (void)name;
  (void)value;
  o->race = true;
  return true;
}

static bool set_no_deadlock_check (Options *o, const char *name, const char *value) {
  (void)name;
  (void)value;
  o->deadlock_check = false;
  return true;
}

static bool set_help (Options *o, const char *name, const char *value) {
  (void)name;
  o->help = true;
  o->topic = value;
  return true;
}

static bool set_version (Options *o, const char *name, const char *value) {
  (void)name;
  (void)value;
  o->version = true;
  return true;
}

/*
** Long options.
*/

typedef enum ValueRule { VALUE_NONE, VALUE_NEEDED, VALUE_AFTER_EQUALS_ONLY } ValueRule;

typedef struct LongOption {
  const char *name;
  ValueRule rule;
  bool (*set)(Options *o, const char *name, const char *value);
} LongOption;

static const LongOption long_options[] = {
    {"--help", VALUE_AFTER_EQUALS_ONLY, set_help},
    {"--version", VALUE_NONE, set_version},
    {"--virtual", VALUE_NONE, set_virtual},
    {"--seed", VALUE_NEEDED, set_seed},
    {"--explore", VALUE_AFTER_EQUALS_ONLY, set_explore},
    {"--replay", VALUE_NEEDED, set_replay},
    {"--trace", VALUE_NEEDED, set_trace},
    {"--open", VALUE_NONE, set_open},
    {"--waits", VALUE_NONE, set_waits},
    {"--json", VALUE_NONE, set_json},
    {"--outputs", VALUE_NONE, set_outputs},
    {"--lock-order", VALUE_NONE, set_lock_order},
    {"--race", VALUE_NONE, set_race},
    {"--no-deadlock-check", VALUE_NONE, set_no_deadlock_check},
};

static const LongOption *find_long (const char *text, size_t length) {
  for (size_t i = 0; i < sizeof long_options / sizeof long_options[0]; i++) {
    const char *name = long_options[i].name;
    if (strlen(name) == length && strncmp(name, text, length) == 0) return &long_options[i];
  }
  return NULL;
}

/* The next argument as a value: there, and not itself a long option. */
static const char *take_value (OptionReader *r) {
  const char *value = r->next < r->argc ? r->argv[r->next] : NULL;
  if (!value || strncmp(value, "--", 2) == 0) return NULL;
  r->next++;
  return value;
}

static bool read_long (OptionReader *r, const char *text) {
  const char *equals = strchr(text, '=');
  size_t length = equals ? (size_t)(equals - text) : strlen(text);
  const char *value = equals ? equals + 1 : NULL;
  const LongOption *option = find_long(text, length);
  if (!option) return mistake(r->o, "unrecognized option '%s'", text);
  if (value && option->rule == VALUE_NONE)
    return mistake(r->o, "option '%s' takes no value", option->name);
  if (!value && option->rule == VALUE_NEEDED) value = take_value(r);
  if (!value && option->rule == VALUE_NEEDED)
    return mistake(r->o, "option '%s' needs a value", option->name);
  return option->set(r->o, option->name, value);
}

/*
** Short options.
*/

static void add_step (Options *o, StepKind kind, const char *text) {
  OptionStep *step = &o->steps[o->step_count++];
  step->kind = kind;
  step->text = text;
}

/* -e and -l: the rest of this argument, else the next one. */
static bool read_step (OptionReader *r, const char *text) {
  Options *o = r->o;
  const char *value = text + 2;
  if (*value == '\0') {
    value = r->next < o->argc ? o->argv[r->next++] : NULL;
    if (!value || *value == '-') return mistake(o, "'%s' needs argument", text);
  }
  if (text[1] == 'e') o->has_chunk = true;
  add_step(o, text[1] == 'e' ? STEP_RUN : STEP_REQUIRE, value);
  return true;
}

static bool read_flag (OptionReader *r, const char *text) {
  Options *o = r->o;
  if (text[2] != '\0') return mistake(o, "unrecognized option '%s'", text);
  switch (text[1]) {
    case 'i': o->interactive = o->banner = true; return true;
    case 'v': o->banner = true; return true;
    case 'E': o->ignore_environment = true; return true;
    case 'W': add_step(o, STEP_WARN, NULL); return true;
    case 'h': o->help = true; return true;
    default: return mistake(o, "unrecognized option '%s'", text);
  }
}

static bool read_option (OptionReader *r, const char *text) {
  if (text[1] == '-') return read_long(r, text);
  if (text[1] == 'e' || text[1] == 'l') return read_step(r, text);
  return read_flag(r, text);
}

static bool read_all (OptionReader *r) {
  Options *o = r->o;
  while (r->next < o->argc) {
    const char *text = o->argv[r->next];
    if (text[0] != '-' || text[1] == '\0') break;                     /* a script, or stdin */
    if (o->help && !o->topic && find_long(text, strlen(text))) break; /* what is asked about */
    r->next++;
    if (strcmp(text, "--") == 0) break;
    if (!read_option(r, text)) return false;
  }
  o->script = r->next < o->argc ? r->next : o->argc;
  if (o->help && !o->topic && o->script < o->argc) o->topic = o->argv[o->script];
  return true;
}

/* Options that cannot both have their way. */
static bool check_together (const Options *o) {
  const char *other = o->seeded ? "--seed" : o->explore ? "--explore" : NULL;
  if (o->schedule && other)
    return mistake(o, "options '--replay' and '%s' exclude each other", other);
  if (o->json && !o->explore && !o->help) return mistake(o, "option '--json' needs '--explore'");
  if (o->outputs && !o->explore && !o->help)
    return mistake(o, "option '--outputs' needs '--explore'");
  if (o->explore && o->seeded)
    return mistake(o, "options '--explore' and '--seed' exclude each other");
  if (o->open && !o->trace) return mistake(o, "option '--open' needs '--trace'");
  return true;
}

/* Cuts o->flags into words; there is room for them. Returns how many. */
static int split_flags (Options *o, char **words) {
  int n = 0;
  for (char *word = strtok(o->flags, " \t\n"); word; word = strtok(NULL, " \t\n"))
    words[n++] = word;
  return n;
}

/*
** The long options in LUASYNC_FLAGS, which come before those of the command line.
** One there that chooses the world takes the place of all of that sort here.
*/
static bool read_flags (Options *o, const char *flags) {
  o->flags = strdup(flags);
  o->flag_words = calloc(strlen(flags) / 2 + 2, sizeof o->flag_words[0]);
  if (!o->flags || !o->flag_words) return mistake(o, "not enough memory");
  OptionReader reader = {o, split_flags(o, o->flag_words), o->flag_words, 0};
  while (reader.next < reader.argc) {
    const char *text = reader.argv[reader.next++];
    if (strncmp(text, "--", 2) != 0 || strncmp(text, "--help", 6) == 0 || text[2] == '\0')
      return mistake(o, "LUASYNC_FLAGS: long options expected, got '%s'", text);
    if (!read_long(&reader, text)) return false;
  }
  return true;
}

/* Whether the command line says anything of the world; `r` has yet to read it. */
static bool chooses_world (OptionReader r) {
  static const char *const names[] = {"--virtual", "--seed", "--replay", "--explore"};
  for (; r.next < r.argc && r.argv[r.next][0] == '-'; r.next++)
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
      size_t n = strlen(names[i]);
      char end = strncmp(r.argv[r.next], names[i], n) == 0 ? r.argv[r.next][n] : ' ';
      if (end == '\0' || end == '=') return true;
    }
  return false;
}

static bool parse (Options *o, int argc, char **argv, const char *flags) {
  memset(o, 0, sizeof *o);
  o->program = argc > 0 && argv[0][0] != '\0' ? argv[0] : "luasync";
  o->argc = argc;
  o->argv = argv;
  o->script = argc;
  o->deadlock_check = true;
  /* each argument makes one step at most */
  o->steps = calloc((size_t)argc + 1, sizeof o->steps[0]);
  if (!o->steps) return mistake(o, "not enough memory");
  OptionReader reader = {o, argc, argv, 1};
  if (flags && !read_flags(o, flags)) return false;
  if (flags && chooses_world(reader)) {
    o->virtual_clock = o->seeded = o->explore = false;
    o->schedule = NULL;
  }
  return read_all(&reader) && check_together(o);
}

bool options_parse (Options *o, int argc, char **argv) {
  const char *flags = getenv("LUASYNC_FLAGS");
  bool ok = parse(o, argc, argv, flags);
  if (!flags || !o->ignore_environment) return ok;
  options_free(o);
  return parse(o, argc, argv, NULL);
}

void options_free (Options *o) {
  free(o->steps);
  free(o->flags);
  free(o->flag_words);
  o->steps = NULL;
}
