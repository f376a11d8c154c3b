/*
** exploration.h - one search through the executions of a program, and what has come of it.
*/
#ifndef EXPLORE_EXPLORATION_H
#define EXPLORE_EXPLORATION_H

#include "explore/dpor.h"
#include "explore/explore.h"
#include "explore/graph_watch.h"
#include "explore/outcome.h"
#include "explore/prospect.h"
#include "explore/seen.h"
#include "explore/state_graph.h"
#include "explore/strategies.h"
#include "explore/world_subject.h"

/* The stack indices of the tables of outcomes. */
enum {
  EXPLORATION_GROUPS = 1,  /* that dpor, dfs or drawing has met; in the end all there are */
  EXPLORATION_GRAPH_GROUPS /* that the graph of states has met, by number */
};

typedef struct Exploration {
  ExploreOptions options;
  int (*body)(lua_State *L, void *ud); /* of the main thread */
  void *ud;
  SimRequest request; /* for sync.explore */
  WorldSubject *world;
  Dpor *dpor;
  StateGraph *graph;
  Prospect *prospect; /* of the graph, where that is whole */
  bool quiet;         /* what the graph meets has been counted */
  bool by_graph;      /* the groups are the graph's, with its numbers */
  Drawing *drawing;
  Seen seen;          /* the traces that have been drawn */
  double weights;     /* how many executions there are by each random sample, */
  int samples;        /* and how many samples: their mean is an estimate */
  Nanos shown;        /* when progress was shown last, by the clock on the wall */
  const char *engine; /* that has the last word */
  /* What has been run, or is known of all by the graph. */
  Ways executions, failing, interleavings;
  bool exact, cut, complete;
  bool rounded;            /* more than 128 bits */
  bool unbounded;          /* states come again: executions have no end to count */
  bool stands;             /* threads can go round for ever while time waits for them */
  atomic_bool interrupted; /* by a Ctrl-C: what is known then is all */
  size_t states, table;    /* visited; of the tables by which interleavings are counted */
  lua_Integer runs;    /* executions that were run by traces or drawn, as the budget counts them, */
  lua_Integer burst;   /* by the burst, */
  lua_Integer ends;    /* and to an end of the graph */
  double chance;       /* of a random schedule to fail; negative: not known */
  bool open;           /* some execution has asked something outside its world */
  Nanos began;         /* by the processor's time, */
  Nanos began_outside; /* and by the clock on the wall */
  unsigned turns;      /* in which progress might have been shown */
  unsigned looks;      /* at the clock, some of them not taken */
  Nanos looked;        /* at the last one that was, */
  Nanos looked_outside; /* and on the wall */
} Exploration;

/* An integer where it fits, else a float. [0, +1, -] */
void exploration_push_ways (lua_State *L, Ways n);

Nanos exploration_clock (void); /* of the system */

/* Searches as the options say. The tables of outcomes are there. [0, 0, raises] */
void exploration_search (lua_State *L, Exploration *x);
/* From now on a Ctrl-C only ends the search, until the exploration is about to be freed. */
void exploration_begin (Exploration *x);
void exploration_end (const Exploration *x);

#endif
