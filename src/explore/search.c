/*
** search.c - how an exploration goes through the executions there are: one engine, or two
** in turn.
**
** Optimal DPOR is quick where executions are few, the graph of states where threads fight
** over few objects. Which it is shows only in the end, so by default both search, each for
** a while, and the first to come to an end has said all. They move the same world: who
** goes on begins by doing the steps again that lead to where it was.
*/
#include <stdlib.h>

#include "explore/budget.h"
#include "explore/exploration.h"
#include "explore/outputs.h"

#define DEPTH 10000           /* steps of an execution at most */
#define TREE_BYTES (16 << 20) /* see dpor.h */
#define TABLE_STATES 1000000  /* for counting interleavings, */
#define TRACE_STATES 300      /* and so many for each execution */
#define SLEEP_SETS 4000000    /* for counting the executions of a graph: 256 MB */
#define LOOKS 8               /* executions between two looks whether to show how far it is */
#define GRAPH_STEPS 64        /* between two looks at the clock */
#define FIRST_SLICE ((Nanos)20 * NANOS / 1000)
#define LONGEST_SLICE ((Nanos)NANOS)
#define BURST 300           /* schedules */
#define SAMPLE_STATES 20000 /* for weighing a random walk */
#define SHOWN_EACH ((Nanos)NANOS / 4)

/* Tells how far the search is, now and then, where somebody wants to know. */
static void show_progress (lua_State *L, Exploration *x) {
  Nanos now;
  if (x->options.progress == NULL || x->turns++ % LOOKS != 0) return;
  now = budget_outside_clock();
  if (now - x->shown < SHOWN_EACH) return;
  x->shown = now;
  x->options.progress(
      L, &(ExploreProgress){.runs = x->runs + x->burst + x->ends,
                            .states = x->graph != NULL ? state_graph_states(x->graph) : 0,
                            .executions = x->executions,
                            .estimate = x->samples > 0 ? x->weights / x->samples : -1,
                            .seconds = (double)(exploration_clock() - x->began) / NANOS});
}

static void broken (lua_State *L, Exploration *x) {
  const char *problem = x->world != NULL ? world_subject_problem(x->world) : NULL;
  luaL_error(L, "%s", problem != NULL ? problem : "not enough memory");
}

static const SimRequest *request_of (const Exploration *x) {
  return x->body == sim_request_run ? &x->request : NULL;
}

/*
** By traces.
*/

static int event_thread (void *ud, int i) { return history_event(ud, i)->thread; }

static Explored explored (Exploration *x) {
  History *h = dpor_history(x->dpor);
  return (Explored){x->world, request_of(x), history_length(h), event_thread, h};
}

/* Notes how the execution has ended; the number of its group, 0: well. */
static int note_end (lua_State *L, Exploration *x, int groups, const Explored *e) {
  int number = outcome_note(L, groups, e);
  x->open |= !world_subject_report(x->world)->closed;
  if (x->options.outputs) outputs_note(L, groups, e, number);
  return number;
}

/* What has come of the run that stands at its end, or has been cut. */
static void note_run (lua_State *L, Exploration *x, bool was_cut) {
  Explored e = explored(x);
  x->cut |= was_cut;
  if (was_cut) outcome_watch(&e, false);
  else x->failing += note_end(L, x, EXPLORATION_GROUPS, &e) > 0;
}

/* Adds those of the trace in the history, as long as that is cheap beside running it. */
static void count_interleavings (Exploration *x) {
  size_t most = (size_t)(TABLE_STATES + TRACE_STATES * x->runs), states = most - x->table;
  x->interleavings +=
      x->exact ? history_interleavings(dpor_history(x->dpor), &states, &x->exact) : 1;
  x->table += states;
}

/*
** Goes on until that time or the end of the budget, or, where states are looked at as well,
** to an execution without end; true: there is no more to come.
*/
static bool go_on_by_traces (lua_State *L, Exploration *x, bool reduce, Nanos until) {
  DporEnd end = DPOR_LEAF;
  bool endless = false;
  if (until > budget_deadline(x)) until = budget_deadline(x);
  while (x->runs < x->options.executions && !endless && !budget_is_past(x, until)
         && !budget_must_end(x) && (end = dpor_next(x->dpor)) == DPOR_LEAF) {
    x->runs++;
    x->executions++;
    note_run(L, x, dpor_was_cut(x->dpor));
    endless = x->options.way == WAY_DEFAULT && dpor_was_cut(x->dpor);
    if (reduce) count_interleavings(x);
    else x->interleavings++;
    show_progress(L, x);
  }
  if (end == DPOR_BROKEN) broken(L, x);
  if (end == DPOR_STRAYED) {
    Explored e = explored(x);
    outcome_note_straying(L, EXPLORATION_GROUPS, &e, dpor_depth(x->dpor) + 1);
    x->failing++;
  }
  x->complete = end == DPOR_COMPLETE && !x->cut;
  return end != DPOR_LEAF && end != DPOR_STOPPED;
}

/* Whether a search that is at long work must leave that. */
static bool must_stop (void *ud) {
  Exploration *x = ud;
  return budget_must_end(x) || budget_is_past(x, budget_deadline(x));
}

static void begin_by_traces (lua_State *L, Exploration *x, bool reduce) {
  Subject subject = world_subject_calls(x->world);
  DporOptions options = {
      .reduce = reduce, .tree_bytes = TREE_BYTES, .depth = DEPTH, .stop = must_stop, .ud = x};
  x->dpor = dpor_new(&subject, &options);
  if (x->dpor == NULL) broken(L, x);
}

/*
** By states.
*/

/* What the graph calls at an end. */
typedef struct GraphCall {
  lua_State *L;
  Exploration *x;
} GraphCall;

static Explored visited (Exploration *x) {
  StateGraph *g = x->graph;
  return (Explored){x->world, request_of(x), state_graph_length(g), state_graph_thread_at, g};
}

/* The rest of the path is known, but not what the watch has to say of its beginning. */
static void graph_merged (void *ud) {
  Explored e = visited(((GraphCall *)ud)->x);
  if (((GraphCall *)ud)->x->quiet) return;
  outcome_watch(&e, false);
}

static int graph_outcome (void *ud) {
  GraphCall *c = ud;
  Explored e = visited(c->x);
  if (c->x->quiet) return outcome_fails(c->L, &e) ? 0 : -1;
  c->x->ends++;
  return note_end(c->L, c->x, EXPLORATION_GRAPH_GROUPS, &e) - 1;
}

static void begin_by_states (lua_State *L, Exploration *x, GraphCall *call) {
  Subject subject = world_subject_calls(x->world);
  bool bounded = x->options.way == WAY_BOUNDED;
  GraphOptions options = {.ud = call,
                          .merged = graph_merged,
                          .deed = world_subject_deed,
                          .depth = DEPTH,
                          .preemptions = bounded ? x->options.preemptions : -1};
  x->graph = state_graph_new(&subject, world_subject_key, graph_outcome, &options);
  world_subject_wipe(x->world);
  if (x->graph == NULL) broken(L, x);
}

/* Goes on until that time, or the budget is used up. */
static GraphEnd go_on_by_states (lua_State *L, Exploration *x, Nanos until) {
  GraphEnd end;
  if (until > budget_deadline(x)) until = budget_deadline(x);
  do {
    end = state_graph_run(x->graph, GRAPH_STEPS);
    show_progress(L, x);
  } while (end == GRAPH_MORE && exploration_clock() < until && !budget_must_end(x));
  return end;
}

/* The groups of the graph, each with the number of executions that end in it, are what has come of the search. */
static void take_graph_groups (lua_State *L, Exploration *x) {
  lua_Integer groups = (lua_Integer)lua_rawlen(L, EXPLORATION_GRAPH_GROUPS);
  x->failing = 0;
  for (lua_Integer i = 1; i <= groups; i++) {
    Ways n;
    lua_rawgeti(L, EXPLORATION_GRAPH_GROUPS, i);
    if (!x->unbounded && state_graph_count_outcome(x->graph, (int)i - 1, SLEEP_SETS, &n)) {
      exploration_push_ways(L, n);
      lua_setfield(L, -2, "executions");
      x->failing += n;
    }
    else x->failing++;
    lua_pop(L, 1);
  }
  lua_pushvalue(L, EXPLORATION_GRAPH_GROUPS);
  lua_replace(L, EXPLORATION_GROUPS);
  x->by_graph = true;
}

/* The graph is whole: what it says is all. */
static void take_graph (lua_State *L, Exploration *x) {
  GraphCounts c;
  if (!state_graph_count(x->graph, SLEEP_SETS, &c)) broken(L, x);
  if (x->options.way == WAY_DEFAULT) x->engine = "states";
  x->cut = state_graph_was_cut(x->graph);
  x->complete = !x->cut && !state_graph_was_bounded(x->graph);
  x->unbounded = c.unbounded;
  x->rounded = c.rounded;
  x->exact = !c.rounded && !c.unbounded && !c.uncounted;
  x->states = c.states;
  x->interleavings = c.interleavings;
  x->executions = c.uncounted || c.unbounded || x->cut ? (Ways)x->ends : c.executions;
  if (x->cut) x->interleavings = 0; /* it has paths to where they were cut */
  take_graph_groups(L, x);
  if (c.unbounded && x->complete)
    x->failing += (Ways)outcome_add_livelock(L, EXPLORATION_GROUPS, x->world, x->graph, &x->stands);
  if (x->stands) x->complete = false;
  if (!graph_watch(x->graph, world_subject_deeds(x->world), world_subject_findings(x->world)))
    x->complete = false;
}

/* A graph that is not whole: what it has met besides counts as one execution each. */
static void add_graph_groups (lua_State *L, Exploration *x) {
  lua_Integer groups = (lua_Integer)lua_rawlen(L, EXPLORATION_GRAPH_GROUPS);
  for (lua_Integer i = 1; i <= groups; i++) {
    lua_rawgeti(L, EXPLORATION_GRAPH_GROUPS, i);
    x->failing += outcome_add_group(L, EXPLORATION_GROUPS);
  }
}

static void graph_strays (lua_State *L, Exploration *x) {
  Explored e = visited(x);
  outcome_note_straying(L, EXPLORATION_GRAPH_GROUPS, &e, e.length + 1);
}

/* The graph alone: by states, or with bounded preemptions. */
static void search_by_states (lua_State *L, Exploration *x) {
  GraphCall call = {L, x};
  GraphEnd end;
  begin_by_states(L, x, &call);
  end = go_on_by_states(L, x, FOREVER);
  x->states = state_graph_states(x->graph);
  if (end == GRAPH_BROKEN) broken(L, x);
  if (end == GRAPH_STATELESS)
    luaL_error(L, "strategy '%s' cannot tell states of this program apart: use 'dpor'",
               explore_way_name(x->options.way));
  if (end == GRAPH_STRAYED) graph_strays(L, x);
  if (end == GRAPH_COMPLETE) {
    take_graph(L, x);
    return;
  }
  x->executions = (Ways)x->ends;
  add_graph_groups(L, x);
}

/*
** At random.
*/

static int drawn_thread (void *ud, int i) { return ((Drawing *)ud)->path[i]; }

/* Draws one schedule. True: the trace is a new one, and *fails says how it ends. */
static bool draw (lua_State *L, Exploration *x, Strategy strategy, int groups, bool *fails) {
  Subject subject = world_subject_calls(x->world);
  Explored e = {x->world, request_of(x), 0, drawn_thread, x->drawing};
  DrawEnd end = strategy_run(&subject, strategy, x->drawing);
  if (end == DRAW_BROKEN || footprint_is_short(subject.footprints)) broken(L, x);
  *fails = false;
  e.length = x->drawing->steps;
  if (!seen_note(&x->seen, history_hash(x->drawing->history))) return false;
  if (end != DRAW_CUT) *fails = note_end(L, x, groups, &e) > 0;
  else {
    x->cut = true;
    outcome_watch(&e, false);
  }
  return true;
}

static void begin_drawing (lua_State *L, Exploration *x) {
  x->drawing = calloc(1, sizeof *x->drawing);
  if (x->drawing == NULL) broken(L, x);
  x->drawing->seed = x->options.seed;
  x->drawing->history = history_new(world_subject_calls(x->world).footprints);
  if (x->drawing->history == NULL) broken(L, x);
}

static void search_randomly (lua_State *L, Exploration *x, Strategy strategy) {
  begin_drawing(L, x);
  while (!budget_is_used_up(x)) {
    bool fails, is_new = draw(L, x, strategy, EXPLORATION_GROUPS, &fails);
    x->runs++;
    x->executions += is_new;
    x->failing += is_new && fails;
    show_progress(L, x);
  }
  x->interleavings = x->executions;
  x->exact = false;
}

/*
** A random walk stands for as many schedules as the choices it had, and one in as many as its
** trace has is of that trace: the mean over walks is the number of traces there are.
*/
static void weigh_sample (Exploration *x) {
  size_t states = SAMPLE_STATES;
  bool exact = true;
  Ways ways = history_interleavings(x->drawing->history, &states, &exact);
  if (!exact) return;
  x->weights += x->drawing->weight / (double)ways;
  x->samples++;
}

/* Some schedules drawn in each way, before a search that will take long. */
static void draw_burst (lua_State *L, Exploration *x) {
  bool fails, cut = x->cut;
  begin_drawing(L, x);
  x->cut = false; /* what is drawn may be endless as well: then a few tell as much as many */
  for (int i = 0;
       i < BURST && !x->cut && !budget_is_past(x, budget_deadline(x)) && !budget_must_end(x); i++) {
    x->burst++;
    draw(L, x, (Strategy)(i % STRATEGIES), EXPLORATION_GRAPH_GROUPS, &fails);
    if (i % STRATEGIES == STRATEGY_RANDOM) weigh_sample(x);
  }
  x->cut = cut;
}

/*
** All together.
*/

/* Whose turn it is now stands at the beginning of the program. */
static void change_engine (lua_State *L, Exploration *x) {
  if (!world_subject_restart(x->world)) broken(L, x);
  state_graph_moved(x->graph);
}

/* True: the graph is whole, or nothing more will come of it, as *useless says. */
static bool let_graph_go_on (lua_State *L, Exploration *x, Nanos until, bool *useless) {
  GraphEnd end;
  change_engine(L, x);
  end = go_on_by_states(L, x, until);
  if (end == GRAPH_BROKEN && world_subject_problem(x->world) != NULL) broken(L, x);
  if (end == GRAPH_STRAYED) graph_strays(L, x);
  *useless = end == GRAPH_STATELESS || end == GRAPH_BROKEN;
  if (end == GRAPH_COMPLETE) take_graph(L, x);
  else change_engine(L, x);
  return end == GRAPH_COMPLETE || end == GRAPH_STRAYED;
}

/*
** All has been seen by traces, but how likely a failure is only the graph can say, where it
** is soon whole.
*/
static void weigh (lua_State *L, Exploration *x, GraphCall *call) {
  Nanos until = exploration_clock() + LONGEST_SLICE / 2;
  if (!x->complete || x->failing == 0 || (x->graph != NULL && state_graph_is_whole(x->graph)))
    return;
  x->quiet = true;
  if (x->graph == NULL) begin_by_states(L, x, call);
  change_engine(L, x);
  while (state_graph_run(x->graph, GRAPH_STEPS) == GRAPH_MORE && exploration_clock() < until
         && !budget_must_end(x)) {}
  x->quiet = false;
}

static void search_by_both (lua_State *L, Exploration *x) {
  GraphCall call = {L, x};
  Nanos slice = FIRST_SLICE;
  bool useless = false,
       over; /* the executions have been run, each to its end or as far as they go */
  begin_by_traces(L, x, true);
  over = go_on_by_traces(L, x, true, exploration_clock() + slice);
  if (over && !x->cut) {
    weigh(L, x, &call);
    return;
  }
  if (budget_is_used_up(x)) return;
  dpor_leave(x->dpor);
  begin_by_states(L, x, &call);
  change_engine(L, x);
  draw_burst(L, x);
  while (!budget_is_used_up(x)) {
    if (!useless && let_graph_go_on(L, x, exploration_clock() + slice, &useless)) break;
    if (!over) over = go_on_by_traces(L, x, true, exploration_clock() + slice);
    if (over && (useless || !x->cut)) break;
    dpor_leave(x->dpor);
    if (slice < LONGEST_SLICE) slice += slice / 2;
  }
  weigh(L, x, &call);
  x->states = state_graph_states(x->graph);
  if (!x->complete) add_graph_groups(L, x);
}

static void search_once (lua_State *L, Exploration *x) {
  switch (x->options.way) {
    case WAY_DEFAULT: search_by_both(L, x); break;
    case WAY_STATES:
    case WAY_BOUNDED: search_by_states(L, x); break;
    case WAY_DPOR:
    case WAY_DFS:
      begin_by_traces(L, x, x->options.way == WAY_DPOR);
      go_on_by_traces(L, x, x->options.way == WAY_DPOR, FOREVER);
      break;
    default: search_randomly(L, x, (Strategy)(x->options.way - WAY_RANDOM));
  }
}

/* Forgets all that has been found. */
static void begin_anew (lua_State *L, Exploration *x) {
  dpor_free(x->dpor);
  state_graph_free(x->graph);
  drawing_free(x->drawing);
  seen_free(&x->seen);
  x->weights = x->samples = 0;
  x->dpor = NULL;
  x->graph = NULL;
  x->drawing = NULL;
  x->executions = x->failing = x->interleavings = 0;
  x->runs = x->burst = x->ends = 0;
  x->table = x->states = 0;
  x->cut = x->complete = x->stands = x->by_graph = false;
  x->exact = true;
  for (int i = EXPLORATION_GROUPS; i <= EXPLORATION_GRAPH_GROUPS; i++) {
    lua_newtable(L);
    lua_replace(L, i);
  }
  world_subject_accept(x->world);
  if (!world_subject_restart(x->world)) broken(L, x);
}

void exploration_search (lua_State *L, Exploration *x) {
  x->began_outside = x->shown = budget_outside_clock();
  x->engine = x->options.way == WAY_DEFAULT ? "dpor" : explore_way_name(x->options.way);
  search_once(L, x);
  while (world_subject_is_another(x->world)) {
    begin_anew(L, x);
    search_once(L, x);
  }
  if (x->graph != NULL && state_graph_is_whole(x->graph)) x->prospect = prospect_new(x->graph);
  if (x->prospect != NULL) x->chance = prospect_chance(x->prospect);
  else if (x->complete && x->failing == 0) x->chance = 0;
}

void exploration_begin (Exploration *x) { thread_break_noted = &x->interrupted; }

void exploration_end (const Exploration *x) {
  if (thread_break_noted == &x->interrupted) thread_break_noted = NULL;
}
