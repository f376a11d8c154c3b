/*
** state_graph.h - the second way to search: states instead of traces.
**
** Where threads fight over few objects, traces explode and states do not. Each state
** is visited once, and all steps that can be done in it are done; what follows from
** the graph is then computed without running the program again:
**
**   interleavings  paths from the first state to an end
**   executions     the same where each node carries its sleep set as well: one path
**                  for each trace (Godefroid's sleep sets leave out all others)
**   failing        those of them that end in an outcome that is a failure
**   chance         how likely a schedule that draws each step evenly ends in one
**
** Two states are one only where the subject gives them the same key: then their
** futures must be the same.
*/
#ifndef EXPLORE_STATE_GRAPH_H
#define EXPLORE_STATE_GRAPH_H

#include "explore/subject.h"

typedef unsigned __int128 Ways;

typedef struct StateGraph StateGraph;

typedef enum GraphEnd {
  GRAPH_MORE,      /* not done yet */
  GRAPH_COMPLETE,  /* every state has been visited */
  GRAPH_STRAYED,   /* the program did something else than before */
  GRAPH_STATELESS, /* a state has no key */
  GRAPH_BROKEN
} GraphEnd;

typedef struct GraphCounts {
  Ways interleavings, executions, failing_interleavings;
  bool unbounded; /* some state can come again: paths have no end */
  bool rounded;   /* more than 128 bits: at least so many */
  bool uncounted; /* too many sleep sets: executions are not known */
  double chance;  /* of a random schedule to fail */
  size_t states;
} GraphCounts;

/* The state the subject stands in, as 128 bits; false: it has none. */
typedef bool (*GraphKey)(void *ud, uint64_t key[2]);
/* What the last step did, as a number of the caller's. */
typedef uint32_t (*GraphDeed)(void *ud);
/* Called at an end; a number of the outcome, negative: it is no failure. */
typedef int (*GraphOutcome)(void *ud);

/* A step from one state to another. */
typedef struct GraphEdge {
  uint32_t to;
  uint32_t step; /* thread << 24 | footprint */
  uint32_t deed;
} GraphEdge;

typedef struct GraphOptions {
  void *ud;                 /* of the outcome, and of merged */
  void (*merged)(void *ud); /* called where a path comes to a state that is known; may be NULL */
  GraphDeed deed;           /* of the subject; NULL: nobody asks */
  int depth;                /* of an execution at most; what is longer is cut */
  int preemptions;          /* at most in an execution: paths beyond are left out; -1: any number */
} GraphOptions;

StateGraph *state_graph_new (const Subject *subject, GraphKey key, GraphOutcome outcome,
                             const GraphOptions *options);
void state_graph_free (StateGraph *g);
/* Visits states until `steps` steps have been done or all is done. */
GraphEnd state_graph_run (StateGraph *g, long steps);
/* Somebody else has moved the subject meanwhile. */
void state_graph_moved (StateGraph *g);

size_t state_graph_states (const StateGraph *g);
/* Whether paths were cut at the depth bound, or left out beyond the preemptions. */
bool state_graph_was_cut (const StateGraph *g);
bool state_graph_was_bounded (const StateGraph *g);
/* The steps that have led to the state that is being visited: how many, and each one's thread. */
int state_graph_length (const StateGraph *g);
int state_graph_thread_at (void *graph, int i);

/* The edges of a state of a complete graph; the first one has the number 0. */
const GraphEdge *state_graph_edges (const StateGraph *g, uint32_t node, int *count);

/* Whether the step of an edge is a silent one. */
bool state_graph_is_silent (const StateGraph *g, uint32_t step);

/* Whether it has every execution there is, each with an end. */
bool state_graph_is_whole (const StateGraph *g);
/* The outcome of a state that is an end; negative: it is no failure. */
int state_graph_outcome_at (const StateGraph *g, uint32_t node);

/*
** Counts what a complete graph says; false: no memory. `sleep_sets` bounds the memory
** for executions.
*/
bool state_graph_count (StateGraph *g, size_t sleep_sets, GraphCounts *counts);
/* How many of the executions end in this outcome; false: no memory, or too many sleep sets. */
bool state_graph_count_outcome (StateGraph *g, int outcome, size_t sleep_sets, Ways *executions);

#endif
