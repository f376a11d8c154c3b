/*
** The floor of `make bench-explore`: source-DPOR (Abdulla, Aronis, Jonsson, Sagonas, "Optimal
** Dynamic Partial Order Reduction", POPL 2014) over programs that are tables. It counts the
** executions that sync.explore counts, but has no Lua, no objects, no reports: it takes what a search
** costs where nothing else is to be done.
**
**   explore_floor PROGRAM N    explores six, increments or four N times
**
** explore.lua compiles this file and shows how many times as long luasync takes. Results go to
** stdout as `name=value`.
*/
#define _POSIX_C_SOURCE 200809L
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define THREADS 4
#define STEPS 24 /* of an execution */
#define CELLS 4

typedef enum What { GET, SET, ACQUIRE, RELEASE } What;

typedef struct Operation {
  What what;
  int cell; /* a lock's cell is its holder, counted from 1; 0: it is free */
} Operation;

typedef struct Program {
  const char *name;
  int threads, length; /* all threads do the same */
  Operation operations[STEPS / THREADS];
} Program;

static const Program programs[] = {
    {"six", 3, 6, {{GET, 0}, {SET, 0}, {ACQUIRE, 2}, {RELEASE, 2}, {GET, 1}, {SET, 1}}},
    {"increments", 3, 6, {{GET, 0}, {SET, 0}, {GET, 1}, {SET, 1}, {GET, 2}, {SET, 2}}},
    {"four", 4, 6, {{ACQUIRE, 2}, {GET, 0}, {SET, 0}, {RELEASE, 2}, {GET, 0}, {SET, 0}}},
};

typedef struct Thread {
  int next, seen; /* its next operation, what it has read last */
} Thread;

typedef struct State {
  Thread threads[THREADS];
  int cells[CELLS];
} State;

/* One step of the execution, and what is known of the moment in front of it. */
typedef struct Step {
  State before;
  unsigned sleep, backtrack; /* sets of threads: tried or of no use, to be tried */
  int thread, nth;           /* the one that moves, its how manyth step */
  Operation operation;
  int clock[THREADS]; /* of each thread so many steps happen before this one, or are it */
} Step;

typedef struct Search {
  const Program *program;
  State now;
  Step steps[STEPS + 1];
  int depth;
  int clocks[STEPS + 1][THREADS][THREADS]; /* by depth, of each thread's next step */
  long executions, blocked;
} Search;

static bool is_dependent (Operation a, Operation b) {
  return a.cell == b.cell && (a.what != GET || b.what != GET);
}

static bool is_over (const Search *s, int t) {
  return s->now.threads[t].next == s->program->length;
}

static Operation next_of (const Search *s, int t) {
  return s->program->operations[s->now.threads[t].next];
}

static bool can_go (const Search *s, int t) {
  return !is_over(s, t) && (next_of(s, t).what != ACQUIRE || s->now.cells[next_of(s, t).cell] == 0);
}

static void join (int *into, const int *clock) {
  for (int t = 0; t < THREADS; t++)
    if (clock[t] > into[t]) into[t] = clock[t];
}

static bool is_covered (const Step *step, const int *clock) {
  return step->nth <= clock[step->thread];
}

/*
** Threads that could be first where the step e comes after all that does not happen after it, and
** after the operation of t.
*/
static unsigned initials (const Search *s, int e, int t) {
  unsigned found = 0, met = 0;
  for (int i = e + 1; i <= s->depth; i++) {
    const Step *step = &s->steps[i];
    int thread = i < s->depth ? step->thread : t;
    const int *clock = i < s->depth ? step->clock : s->clocks[s->depth][t];
    bool first = true;
    if (i < s->depth && is_covered(&s->steps[e], clock)) continue;
    if (met >> thread & 1) continue;
    met |= 1u << thread;
    for (int k = e + 1; k < i && first; k++) {
      const Step *other = &s->steps[k];
      if (is_covered(&s->steps[e], other->clock)) continue;
      first = !is_covered(other, clock);
      if (i == s->depth && is_dependent(other->operation, next_of(s, t))) first = false;
    }
    if (first) found |= 1u << thread;
  }
  return found;
}

/* The step e shall be tried behind the operation of t. */
static void reverse (Search *s, int e, int t) {
  unsigned first = initials(s, e, t);
  if ((first & s->steps[e].backtrack) == 0) s->steps[e].backtrack |= first & -first;
}

/*
** Finds what the next operation of t races with, latest first, and adds to its clock what happens
** before it. What keeps a lock cannot change places with who waits for it: no race.
*/
static void find_races (Search *s, int t) {
  Operation o = next_of(s, t);
  int clock[THREADS], cover[THREADS];
  memcpy(clock, s->clocks[s->depth][t], sizeof clock);
  memcpy(cover, clock, sizeof cover);
  for (int e = s->depth - 1; e >= 0; e--) {
    const Step *step = &s->steps[e];
    if (!is_dependent(step->operation, o) || step->thread == t) continue;
    join(clock, step->clock);
    if (is_covered(step, cover) || (o.what == ACQUIRE && step->before.cells[o.cell] != 0)) continue;
    join(cover, step->clock);
    reverse(s, e, t);
  }
  memcpy(s->steps[s->depth].clock, clock, sizeof clock);
}

/* Lets t do its operation. */
static void move (Search *s, int t) {
  Operation o = next_of(s, t);
  Thread *thread = &s->now.threads[t];
  Step *step = &s->steps[s->depth];
  int *cell = &s->now.cells[o.cell];
  step->thread = t;
  step->operation = o;
  step->clock[t] = step->nth = ++thread->next;
  if (o.what == GET) thread->seen = *cell;
  else *cell = o.what == SET ? thread->seen + 1 : o.what == ACQUIRE ? t + 1 : 0;
  memcpy(s->clocks[s->depth + 1], s->clocks[s->depth], sizeof s->clocks[0]);
  memcpy(s->clocks[s->depth + 1][t], step->clock, sizeof step->clock);
  s->depth++;
}

/* Those that sleep behind the last step: they do not depend on it. */
static unsigned still_asleep (const Search *s, unsigned sleep, Operation o) {
  unsigned left = 0;
  for (int t = 0; t < s->program->threads; t++)
    if ((sleep >> t & 1) && !is_dependent(next_of(s, t), o)) left |= 1u << t;
  return left;
}

/* Begins a new moment: the first thread that can go and does not sleep shall be tried. */
static void begin (Search *s, unsigned sleep) {
  Step *step = &s->steps[s->depth];
  bool any = false;
  step->before = s->now;
  step->sleep = sleep;
  step->backtrack = 0;
  for (int t = 0; t < s->program->threads && step->backtrack == 0; t++) {
    if (!can_go(s, t)) continue;
    any = true;
    if (!(sleep >> t & 1)) step->backtrack = 1u << t;
  }
  if (!any) s->executions++;
  else if (step->backtrack == 0) s->blocked++;
}

static void explore (Search *s) {
  begin(s, 0);
  while (s->depth >= 0) {
    Step *step = &s->steps[s->depth];
    unsigned left = step->backtrack & ~step->sleep, sleep;
    int t;
    s->now = step->before;
    if (left == 0) {
      s->depth--;
      if (s->depth >= 0) s->steps[s->depth].sleep |= 1u << s->steps[s->depth].thread;
      continue;
    }
    t = __builtin_ctz(left);
    find_races(s, t);
    sleep = still_asleep(s, step->sleep, next_of(s, t));
    move(s, t);
    begin(s, sleep);
  }
}

int main (int argc, char **argv) {
  const Program *program = NULL;
  long n = argc == 3 ? atol(argv[2]) : 0, executions = 0, blocked = 0;
  double seconds;
  for (size_t i = 0; argc == 3 && i < sizeof programs / sizeof *programs; i++)
    if (strcmp(programs[i].name, argv[1]) == 0) program = &programs[i];
  if (program == NULL || n < 1) {
    fprintf(stderr, "usage: explore_floor six|increments|four N\n");
    return 2;
  }
  for (long i = 0; i < n; i++) {
    static Search s;
    s = (Search){.program = program};
    explore(&s);
    executions += s.executions;
    blocked += s.blocked;
  }
  seconds = (double)clock() / CLOCKS_PER_SEC;
  printf("us=%.6g\nrate=%.6g\nexecutions=%ld\nblocked=%ld\n", seconds / (double)executions * 1e6,
         (double)executions / seconds / 1000, executions / n, blocked / n);
  return 0;
}
