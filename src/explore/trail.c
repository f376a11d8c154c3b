/*
** trail.c - see trail.h.
*/
#include "explore/trail.h"
#include "message/message.h"

#define FAR 4 /* steps done again, beyond which a checkpoint half-way pays */

void trail_set_outcome (SimRequest *r, bool failed, Message *outcome) {
  if (r == NULL) return;
  message_keep(outcome);
  message_free(r->outcome);
  r->outcome = outcome;
  r->failed = failed;
}

void trail_add (Trail *t, Sim *sim, const SimRequest *r, int depth) {
  TrailPoint p = {.depth = depth, .checkpoint = checkpoint_take(sim)};
  if (p.checkpoint == NULL) return;
  if (r != NULL) {
    p.failed = r->failed;
    p.outcome = r->outcome;
    message_keep(p.outcome);
  }
  t->points[t->count++] = p;
}

void trail_note (Trail *t, Sim *sim, const SimRequest *r, int depth) {
  if (depth != t->target || t->count == TRAIL_POINTS) return;
  t->target = -1;
  trail_add(t, sim, r, depth);
}

void trail_drop (Trail *t, int depth) {
  while (t->count > 0 && t->points[t->count - 1].depth > depth) {
    const TrailPoint *p = &t->points[--t->count];
    checkpoint_free(p->checkpoint);
    message_free(p->outcome);
  }
}

int trail_go_back (Trail *t, Sim *sim, SimRequest *r, int depth) {
  const TrailPoint *p;
  trail_drop(t, depth);
  t->target = -1;
  if (t->count == 0) return -1;
  p = &t->points[t->count - 1];
  trail_set_outcome(r, p->failed, p->outcome);
  checkpoint_restore(sim, p->checkpoint);
  if (depth - p->depth > FAR) t->target = p->depth + (depth - p->depth) / 2;
  return p->depth;
}
