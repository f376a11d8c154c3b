/*
** search_check.c - the search without Lua: small programs over registers, locks,
** semaphores, conditions and queues, as state machines in C. Prints a line for each:
** name, executions, failing ones, interleavings, blocked executions.
**
** usage: search_check NAME...      with -d in front by plain depth-first search, -s by states
**        search_check -r SEED N    N random programs by all three, which must agree
**        search_check -t SEED N    N random wakeup trees: see tree_check.c
**        search_check -o SEED N    N random histories: see orders_check.c
*/
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explore/dpor.h"
#include "explore/state_graph.h"
#include "world/op.h"

int trees_check (uint64_t seed, int n);
int orders_check (uint64_t seed, int n);

#define THREADS 12
#define CELLS 12

typedef enum What {
  NOTHING,
  GET,
  SET,
  ADD,
  ACQUIRE,
  RELEASE,
  DOWN,
  UP,
  PUT,
  TAKE,
  WAIT,
  AGAIN,
  NOTIFY
} What;

typedef struct Do {
  What what;
  int object, value; /* WAIT: value is the lock */
} Do;

typedef struct Local {
  int pc, r[4];
  int waits;  /* for this condition; -1: not */
  bool again; /* notified */
} Local;

typedef struct State {
  Local t[THREADS];
  int cell[CELLS]; /* registers, semaphores, lengths of queues */
  int owner[CELLS];
  int line[CELLS][THREADS], waiting[CELLS];
  bool bad;
} State;

typedef struct Model {
  int n, threads;
  Do (*next)(const struct Model *m, const State *s, int t);
  bool (*is_bad)(const struct Model *m, const State *s);
  State now;
  State saved[512];
  int depth;
  Footprints *f;
} Model;

static Do step_of (const Model *m, int t) {
  const Local *l = &m->now.t[t];
  Do d = m->next(m, &m->now, t);
  if (l->waits >= 0) d.what = NOTHING;
  if (l->again) d = (Do){AGAIN, d.value, 0};
  return d;
}

static bool can (const Model *m, Do d) {
  switch (d.what) {
    case NOTHING: return false;
    case ACQUIRE:
    case AGAIN: return m->now.owner[d.object] < 0;
    case DOWN:
    case TAKE: return m->now.cell[d.object] > 0;
    case PUT: return m->now.cell[d.object] < 1;
    default: return true;
  }
}

static int threads (void *ud) { return ((Model *)ud)->threads; }

static bool peek (void *ud, int t, Peek *p) {
  Model *m = ud;
  Do d = step_of(m, t);
  Access a[2] = {{.object = (uint32_t)d.object, .write = d.what != GET}, {0}};
  int n = 1;
  if (d.what == NOTHING) return false;
  if (d.what == ACQUIRE || d.what == AGAIN || d.what == DOWN || d.what == TAKE)
    a[0].needs = READY_TAKE;
  if (d.what == PUT) a[0].needs = READY_ROOM;
  if (d.what == WAIT) a[n++] = (Access){.object = (uint32_t)d.value, .write = true};
  *p = (Peek){footprint_intern(m->f, a, n, GRIPS_NONE), can(m, d), false, false};
  return true;
}

static void ready (void *ud, int t, Ready *r) {
  Model *m = ud;
  Do d = step_of(m, t);
  bool lock = d.what == ACQUIRE || d.what == AGAIN || d.what == RELEASE;
  bool full = m->now.cell[d.object] > 0;
  r[0].takers = (lock ? m->now.owner[d.object] < 0 : full) ? UINT64_MAX : 0;
  r[0].bits = full ? 0 : READY_ROOM;
  r[1].takers = d.what == WAIT && m->now.owner[d.value] < 0 ? UINT64_MAX : 0;
  r[1].bits = 0;
}

static bool step (void *ud, int t, Effects *effects) {
  Model *m = ud;
  State *s = &m->now;
  Local *l = &s->t[t];
  Do d = step_of(m, t);
  m->saved[m->depth++] = *s;
  l->r[2] = l->r[3]; /* the value found before the last one */
  l->r[3] = s->cell[d.object];
  switch (d.what) {
    case SET: s->cell[d.object] = d.value; break;
    case ADD:
    case UP:
    case PUT: s->cell[d.object]++; break;
    case DOWN:
    case TAKE: s->cell[d.object]--; break;
    case ACQUIRE: s->owner[d.object] = t; break;
    case AGAIN:
      s->owner[d.object] = t;
      l->again = false;
      break;
    case RELEASE: s->owner[d.object] = -1; break;
    case WAIT:
      s->owner[d.value] = -1;
      s->line[d.object][s->waiting[d.object]++] = t;
      l->waits = d.object;
      return true;
    case NOTIFY:
      if (s->waiting[d.object] > 0) {
        int w = s->line[d.object][0];
        memmove(s->line[d.object], s->line[d.object] + 1,
                (size_t)--s->waiting[d.object] * sizeof(int));
        s->t[w].waits = -1;
        s->t[w].again = true;
        effects->threads[effects->count++] = (uint8_t)w;
      }
      break;
    default: break;
  }
  l->pc++;
  return true;
}

static int rewind_to (void *ud, int depth) {
  Model *m = ud;
  if (depth < m->depth) m->now = m->saved[depth];
  m->depth = depth;
  return depth;
}

/*
** The programs.
*/
#define PC (s->t[t].pc)
#define STEPS(...)                                                         \
  do {                                                                     \
    static const Do steps[] = {__VA_ARGS__};                               \
    return PC < (int)(sizeof steps / sizeof *steps) ? steps[PC] : (Do){0}; \
  } while (0)

static Do readers (const Model *m, const State *s, int t) {
  (void)m;
  if (PC > 0) return (Do){0};
  return (Do){t == 0 ? SET : GET, 0, 1};
}

static Do lastzero (const Model *m, const State *s, int t) {
  if (t == 0) {
    if (PC > m->n || (PC > 0 && s->t[t].r[3] == 0)) return (Do){0};
    return (Do){GET, m->n - PC, 0};
  }
  if (PC == 0) return (Do){GET, t - 1, 0};
  return PC == 1 ? (Do){SET, t, s->t[t].r[3] + 1} : (Do){0};
}

static Do adders (const Model *m, const State *s, int t) {
  (void)m;
  return PC == 0 ? (Do){ADD, 0, 0} : (Do){0};
}

static Do lockers (const Model *m, const State *s, int t) {
  (void)m;
  switch (PC) {
    case 0: return (Do){ACQUIRE, 0, 0};
    case 1: return (Do){GET, 1, 0};
    case 2: return (Do){SET, 1, s->t[t].r[3] + 1};
    case 3: return (Do){RELEASE, 0, 0};
    default: return (Do){0};
  }
}

static Do lost_update (const Model *m, const State *s, int t) {
  (void)m;
  if (t < 2) switch (PC) {
      case 0: return (Do){GET, 0, 0};
      case 1: return (Do){SET, 0, s->t[t].r[3] + 1};
      case 2: return (Do){UP, 1, 0};
      default: return (Do){0};
    }
  STEPS({DOWN, 1, 0}, {DOWN, 1, 0}, {GET, 0, 0});
}
static bool lost_update_bad (const Model *m, const State *s) {
  (void)m;
  return s->t[2].r[3] != 2;
}

static Do philosophers (const Model *m, const State *s, int t) {
  int left = t, right = (t + 1) % m->n;
  switch (PC) {
    case 0: return (Do){ACQUIRE, left, 0};
    case 1: return (Do){ACQUIRE, right, 0};
    case 2: return (Do){RELEASE, right, 0};
    case 3: return (Do){RELEASE, left, 0};
    default: return (Do){0};
  }
}

static Do ordered (const Model *m, const State *s, int t) {
  int left = t, right = (t + 1) % m->n, low = left < right ? left : right,
      high = left + right - low;
  switch (PC) {
    case 0: return (Do){ACQUIRE, low, 0};
    case 1: return (Do){ACQUIRE, high, 0};
    case 2: return (Do){RELEASE, high, 0};
    case 3: return (Do){RELEASE, low, 0};
    default: return (Do){0};
  }
}

static bool stuck (const Model *m, const State *s) {
  Model copy = *m;
  copy.now = *s;
  for (int t = 0; t < m->threads; t++)
    if (copy.now.t[t].waits >= 0 || step_of(&copy, t).what != NOTHING) return true;
  return false;
}

/* 0 flag, 1 lock, 2 condition */
static Do lost_wakeup (const Model *m, const State *s, int t) {
  (void)m;
  if (t == 0) {
    if (PC == 1 && s->t[0].r[0] == 0 && s->t[0].r[3] != 0) return (Do){0};
    STEPS({GET, 0, 0}, {ACQUIRE, 1, 0}, {WAIT, 2, 1}, {RELEASE, 1, 0});
  }
  STEPS({SET, 0, 1}, {ACQUIRE, 1, 0}, {NOTIFY, 2, 0}, {RELEASE, 1, 0});
}

static Do reorder (const Model *m, const State *s, int t) {
  (void)m;
  if (t < 2) STEPS({SET, 0, 1}, {SET, 1, -1});
  STEPS({GET, 0, 0}, {GET, 1, 0});
}

static bool reorder_bad (const Model *m, const State *s) {
  (void)m;
  return !(s->t[2].r[2] == 0 && s->t[2].r[3] == 0) && !(s->t[2].r[2] == 1 && s->t[2].r[3] == -1);
}

static Do one_slot (const Model *m, const State *s, int t) {
  if (PC >= m->n) return (Do){0};
  return (Do){t == 0 ? PUT : TAKE, 0, 0};
}

typedef struct Program {
  const char *name;
  int n, threads;
  Do (*next)(const Model *m, const State *s, int t);
  bool (*is_bad)(const Model *m, const State *s);
} Program;

static const Program programs[] = {
    {"readers(8)", 8, 9, readers, NULL},
    {"lastzero(4)", 4, 5, lastzero, NULL},
    {"lastzero(5)", 5, 6, lastzero, NULL},
    {"lastzero(10)", 10, 11, lastzero, NULL},
    {"adders(4)", 4, 4, adders, NULL},
    {"lockers(3)", 3, 3, lockers, NULL},
    {"lockers(4)", 4, 4, lockers, NULL},
    {"lost update(2)", 2, 3, lost_update, lost_update_bad},
    {"philosophers(2)", 2, 2, philosophers, stuck},
    {"philosophers(3)", 3, 3, philosophers, stuck},
    {"philosophers(4)", 4, 4, philosophers, stuck},
    {"philosophers(5)", 5, 5, philosophers, stuck},
    {"ordered forks(3)", 3, 3, ordered, stuck},
    {"lost wake-up", 0, 2, lost_wakeup, stuck},
    {"reorder(3)", 0, 3, reorder, reorder_bad},
    {"one slot(5)", 5, 2, one_slot, stuck},
};

/*
** Random programs: each thread a list of steps over few objects.
*/
#define RANDOM_STEPS 5

static Do drawn[THREADS][RANDOM_STEPS];
static int drawn_count[THREADS];
static uint64_t seed;

static int draw (int n) {
  seed = seed * 6364136223846793005u + 1442695040888963407u;
  return (int)((seed >> 33) % (uint64_t)n);
}

/* Objects: 0, 1 registers; 2, 3 locks; 4 a semaphore; 5 a queue of one; 6 a condition of lock 2. */
static Do drawn_next (const Model *m, const State *s, int t) {
  Do d;
  (void)m;
  if (PC >= drawn_count[t]) return (Do){0};
  d = drawn[t][PC];
  if (d.what == SET && d.value < 0) d.value = s->t[t].r[3] + 1;
  return d;
}

static void draw_program (int threads) {
  static const Do choices[] = {{GET, 0, 0},     {GET, 1, 0},     {SET, 0, 1},     {SET, 1, -1},
                               {ADD, 0, 0},     {ACQUIRE, 2, 0}, {RELEASE, 2, 0}, {ACQUIRE, 3, 0},
                               {RELEASE, 3, 0}, {DOWN, 4, 0},    {UP, 4, 0},      {PUT, 5, 0},
                               {TAKE, 5, 0},    {WAIT, 6, 2},    {NOTIFY, 6, 0}};
  for (int t = 0; t < threads; t++) {
    drawn_count[t] = 2 + draw(RANDOM_STEPS - 2);
    for (int i = 0; i < drawn_count[t]; i++)
      drawn[t][i] = choices[draw((int)(sizeof choices / sizeof *choices))];
  }
}

static bool drawn_bad (const Model *m, const State *s) { return stuck(m, s) || s->cell[0] == 2; }

/*
** The three ways.
*/
typedef struct Result {
  long executions, failing, blocked;
  Ways ways;
  bool exact;
  size_t states;
} Result;

static bool key_of (void *ud, uint64_t key[2]) {
  const unsigned char *p = (const unsigned char *)&((Model *)ud)->now;
  key[0] = 14695981039346656037u;
  key[1] = 1099511628211u;
  for (size_t i = 0; i < sizeof(State); i++) {
    key[0] = (key[0] ^ p[i]) * 1099511628211u;
    key[1] = (key[1] + p[i]) * 6364136223846793005u + (key[1] >> 29);
  }
  return true;
}

static int outcome_of (void *ud) {
  Model *m = ud;
  return m->is_bad != NULL && m->is_bad(m, &m->now) ? 0 : -1;
}

static Model model;

static Subject begin (const Program *p) {
  Model *m = &model;
  memset(m, 0, sizeof *m);
  m->n = p->n;
  m->threads = p->threads;
  m->next = p->next;
  m->is_bad = p->is_bad;
  m->f = footprint_table();
  for (int i = 0; i < CELLS; i++) m->now.owner[i] = -1;
  for (int i = 0; i < THREADS; i++) m->now.t[i].waits = -1;
  return (Subject){m, m->f, threads, peek, ready, step, rewind_to};
}

static Result search (const Program *p, bool reduce) {
  Subject subject = begin(p);
  DporOptions options = {.reduce = reduce, .depth = 500};
  Result r = {.exact = true};
  Dpor *d = dpor_new(&subject, &options);
  while (dpor_next(d) == DPOR_LEAF) {
    r.executions++;
    if (outcome_of(&model) >= 0) r.failing++;
    if (reduce) {
      size_t states = 4000000;
      r.ways += history_interleavings(dpor_history(d), &states, &r.exact);
    }
  }
  r.blocked = dpor_blocked(d);
  dpor_free(d);
  footprint_table_free(model.f);
  return r;
}

static Result by_states (const Program *p) {
  Subject subject = begin(p);
  GraphOptions options = {.ud = &model, .depth = 500, .preemptions = -1};
  StateGraph *g = state_graph_new(&subject, key_of, outcome_of, &options);
  GraphCounts c = {0};
  Ways failing = 0;
  Result r = {0};
  while (state_graph_run(g, 1000) == GRAPH_MORE) {}
  state_graph_count(g, 10000000, &c);
  state_graph_count_outcome(g, 0, 10000000, &failing);
  r = (Result){(long)c.executions,         (long)failing, 0, c.interleavings,
               !c.rounded && !c.uncounted, c.states};
  state_graph_free(g);
  footprint_table_free(model.f);
  return r;
}

static int compare (uint64_t first, int n) {
  int bad = 0, large = 0;
  for (uint64_t i = first; i < first + (uint64_t)n; i++) {
    Program p = {"random", 0, 0, drawn_next, drawn_bad};
    Result a, b, c;
    seed = i * 0x9e3779b97f4a7c15u;
    p.threads = 2 + draw(3);
    draw_program(p.threads);
    a = search(&p, true);
    c = by_states(&p);
    if (c.ways > 5000) b.executions = (long)c.ways, b.failing = -1, large++;
    else b = search(&p, false);
    if (a.executions != c.executions || a.failing != c.failing || a.ways != c.ways
        || (long)a.ways != b.executions || a.blocked != 0) {
      printf("program %llu: dpor %ld/%ld/%ld blocked %ld, states %ld/%ld/%ld, plain %ld\n",
             (unsigned long long)i, a.executions, a.failing, (long)a.ways, a.blocked, c.executions,
             c.failing, (long)c.ways, b.executions);
      bad++;
    }
  }
  printf("%d programs, %d differ, %d not searched plainly\n", n, bad, large);
  return bad != 0;
}

int main (int argc, char **argv) {
  const char *way = argc > 1 && argv[1][0] == '-' ? argv[1] : "";
  int first = way[0] != '\0' ? 2 : 1;
  if (strcmp(way, "-r") == 0 && argc == 4)
    return compare(strtoull(argv[2], NULL, 10), atoi(argv[3]));
  if (strcmp(way, "-t") == 0 && argc == 4)
    return trees_check(strtoull(argv[2], NULL, 10), atoi(argv[3]));
  if (strcmp(way, "-o") == 0 && argc == 4)
    return orders_check(strtoull(argv[2], NULL, 10), atoi(argv[3]));
  for (size_t i = 0; i < sizeof programs / sizeof *programs; i++) {
    const Program *p = &programs[i];
    bool named = argc == first;
    Result r;
    for (int k = first; k < argc; k++) named |= strcmp(argv[k], p->name) == 0;
    if (!named) continue;
    r = strcmp(way, "-s") == 0 ? by_states(p) : search(p, strcmp(way, "-d") != 0);
    printf("%s\t%ld\t%ld\t%s%llu\t%ld\t%zu\n", p->name, r.executions, r.failing,
           r.exact ? "" : "at least ", (unsigned long long)r.ways, r.blocked, r.states);
  }
  return 0;
}
