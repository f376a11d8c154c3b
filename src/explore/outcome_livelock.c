/*
** outcome_livelock.c - a livelock in a complete graph of states as a group of outcomes.
*/
#include <stdlib.h>

#include "explore/livelock.h"
#include "explore/outcome.h"

/* Whose clock is asked, and what it has said. */
typedef struct Clock {
  WorldSubject *world;
  bool stands;
} Clock;

/* Whether the clock could go on somewhere in the round: then it is left in the end. */
static bool can_tick (void *ud, const Livelock *l) {
  Clock *c = ud;
  Subject s = world_subject_calls(c->world);
  if (s.rewind(s.ud, 0) != 0) return true;
  for (int i = 0; i < l->length; i++) {
    Effects effects = {0};
    if (!s.step(s.ud, l->path[i], &effects)) return true;
    if (i < l->first || !world_subject_waits_for_time(c->world)) continue;
    c->stands = true;
    return true;
  }
  return false;
}

int outcome_add_livelock (lua_State *L, int groups, WorldSubject *w, const StateGraph *g,
                          bool *stands) {
  Livelock l;
  Clock clock = {w, false};
  bool found = livelock_find(g, world_subject_deeds(w), can_tick, &clock, &l);
  *stands = clock.stands && !found;
  if (!found) return 0;
  lua_createtable(L, 0, 8);
  lua_pushliteral(L, "livelock");
  lua_setfield(L, -2, "kind");
  lua_pushinteger(L, 1);
  lua_setfield(L, -2, "executions");
  lua_pushinteger(L, l.first + 1);
  lua_setfield(L, -2, "cycle");
  lua_pushboolean(L, l.doomed);
  lua_setfield(L, -2, "doomed");
  lua_pushlstring(L, l.path, (size_t)l.length);
  lua_setfield(L, -2, "path");
  lua_rawseti(L, groups, (lua_Integer)lua_rawlen(L, groups) + 1);
  free(l.path);
  return 1;
}
