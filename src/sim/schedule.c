/*
** schedule.c - reading and writing schedules.
*/
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/decimal.h"
#include "sim/schedule.h"

bool schedule_add (Schedule *s, Turn turn) {
  if (s->count == s->capacity) {
    size_t capacity = s->capacity == 0 ? 64 : 2 * s->capacity;
    Turn *turns = realloc(s->turns, capacity * sizeof *turns);
    if (turns == NULL) return false;
    s->turns = turns;
    s->capacity = capacity;
  }
  s->turns[s->count++] = turn;
  return true;
}

void schedule_clear (Schedule *s) {
  free(s->turns);
  memset(s, 0, sizeof *s);
}

/* A number at *p, at most 12 digits; -1: none. Moves *p behind it. */
static long long number (const char **p) {
  long long n = 0;
  int digits = 0;
  while (isdigit((unsigned char)**p) && digits < 12) {
    n = 10 * n + (**p - '0');
    (*p)++;
    digits++;
  }
  return digits == 0 || isdigit((unsigned char)**p) ? -1 : n;
}

/* One word, from *p to a blank or the end. */
static bool parse_turn (const char **p, Turn *turn) {
  long long n;
  memset(turn, 0, sizeof *turn);
  if (**p == '!') {
    turn->tick = true;
    (*p)++;
  }
  else if (**p == '(' || **p == ')') turn->mark = *(*p)++;
  else {
    if ((n = number(p)) < 0) return false;
    turn->thread = (uint64_t)n;
    if (**p == 'x') {
      (*p)++;
      turn->preempted = true;
      if ((n = number(p)) < 0) return false;
      turn->operations = (long)n;
      if (**p == '+') {
        (*p)++;
        if ((n = number(p)) < 0) return false;
        turn->outputs = (long)n;
      }
    }
  }
  return **p == '\0' || isspace((unsigned char)**p);
}

/* Whether brackets come in pairs with a thread's turn inside; else *problem says so. */
static bool check_rounds (const Schedule *s, char problem[128]) {
  bool open = false, empty = true, good = true;
  for (size_t i = 0; i < s->count && good; i++) {
    const Turn *t = &s->turns[i];
    if (t->mark != 0) good = open == (t->mark == ')') && (t->mark == '(' || !empty);
    if (t->mark != 0) open = t->mark == '(';
    empty = !turn_is_taken(t) && (empty || t->mark == '(');
  }
  if (good && !open) return true;
  snprintf(problem, 128, "brackets in a schedule come in pairs, with turns inside");
  return false;
}

bool schedule_parse (Schedule *s, const char *text, char problem[128]) {
  const char *p = text;
  bool whole = false;
  while (isspace((unsigned char)*p)) p++;
  while (*p != '\0' && !whole) {
    const char *word = p;
    Turn turn;
    if (*p == '.') {
      p++;
      whole = true;
    }
    else if (parse_turn(&p, &turn)) {
      if (!schedule_add(s, turn)) {
        snprintf(problem, 128, SCHEDULE_NO_MEMORY);
        return false;
      }
    }
    else {
      snprintf(problem, 128, "'%.*s' is not part of a schedule",
               (int)strcspn(word, " \t\n") < 40 ? (int)strcspn(word, " \t\n") : 40, word);
      return false;
    }
    while (isspace((unsigned char)*p)) p++;
  }
  if (whole && *p == '\0') return check_rounds(s, problem);
  snprintf(problem, 128, "%s",
           whole ? "the schedule goes on after its end"
                 : "the schedule is cut off: it must end with ' .'");
  return false;
}

/* Whether it counts that the thread of that turn has come as far before its next one. */
static bool counts (const Schedule *s, size_t turn) {
  for (size_t i = turn + 1; i < s->count; i++) {
    const Turn *t = &s->turns[i];
    if (t->tick || t->pokes) return true;
    if (turn_is_taken(t) && t->thread == s->turns[turn].thread) return false;
    if (t->makes && s->turns[turn].makes) return true;
  }
  return false;
}

void schedule_join (Schedule *s, bool early) {
  size_t n = 0;
  for (size_t i = 0; i < s->count; i++) {
    Turn t = s->turns[i], *last = n > 0 ? &s->turns[n - 1] : NULL;
    if (!early && turn_is_taken(&t) && t.preempted && t.operations == 0 && t.outputs == 0
        && !counts(s, i))
      continue;
    if (last != NULL && turn_is_taken(last) && turn_is_taken(&t) && last->preempted
        && last->thread == t.thread) {
      t.operations += last->operations;
      if (t.operations == last->operations) t.outputs += last->outputs;
      *last = t;
    }
    else s->turns[n++] = t;
  }
  s->count = n;
}

char *schedule_text (const Schedule *s) {
  char *text = malloc(s->count * 64 + 2), *p = text;
  if (text == NULL) return NULL;
  for (size_t i = 0; i < s->count; i++) {
    const Turn *t = &s->turns[i];
    if (t->tick) *p++ = '!';
    else if (t->mark != 0) *p++ = t->mark;
    else p = decimal_write(p, t->thread);
    if (t->preempted) {
      *p++ = 'x';
      p = decimal_write(p, (uint64_t)t->operations);
    }
    if (t->preempted && t->outputs > 0) {
      *p++ = '+';
      p = decimal_write(p, (uint64_t)t->outputs);
    }
    *p++ = ' ';
  }
  strcpy(p, ".");
  return text;
}
