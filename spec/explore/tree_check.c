/*
** tree_check.c - wakeup trees by themselves, beside a plain list: of steps that all depend on
** each other a tree holds what was inserted, sequence by sequence.
*/
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "explore/wakeup_tree.h"

#define LONGEST 4000 /* steps: more than go into one branch */
#define SEQUENCES 60
#define FOOTPRINTS 70000 /* so many that a step takes one to three bytes for them */

int trees_check (uint64_t seed, int n);

typedef struct Sequence {
  uint32_t steps[LONGEST];
  int length;
  bool taken;
} Sequence;

static Sequence accepted[SEQUENCES], path;
static int count;
static uint64_t drawn;

static uint32_t draw (uint32_t below) { return (uint32_t)(random_mix(++drawn) >> 33) % below; }

/* What a thread does next is decided by the place, as it is by the state of a program. */
static uint32_t step_at (uint32_t thread, int place) {
  uint32_t some = (uint32_t)random_mix((uint64_t)thread << 32 | (uint32_t)place);
  return thread << 24 | (1 + some % (place % 3 == 0 ? 100 : place % 3 == 1 ? 1000 : FOOTPRINTS));
}

/* Part of one that is there, as a rule, and then another way. */
static void draw_sequence (Sequence *s) {
  int same = count > 0 ? (int)draw(4) : 0, most = draw(6) == 0 ? LONGEST : 30, at = 0;
  s->length = 1 + (int)draw((uint32_t)most);
  s->taken = false;
  if (same > 0) {
    const Sequence *other = &accepted[draw((uint32_t)count)];
    at = (int)draw((uint32_t)other->length + 1);
    if (at > s->length) at = s->length;
    memcpy(s->steps, other->steps, (size_t)at * sizeof *s->steps);
  }
  for (; at < s->length; at++) s->steps[at] = step_at(draw(3) * 31, at);
}

/* Whether one is the beginning of the other. */
static bool begins (const Sequence *a, const Sequence *b) {
  int length = a->length < b->length ? a->length : b->length;
  return memcmp(a->steps, b->steps, (size_t)length * sizeof *a->steps) == 0;
}

static bool insert (WakeupTrees *trees, WakeupTree *tree, const Footprints *f) {
  static uint32_t used_up[LONGEST];
  Sequence *s = &accepted[count];
  bool covered = false;
  draw_sequence(s);
  for (int i = 0; i < count; i++) covered |= begins(&accepted[i], s);
  memcpy(used_up, s->steps, sizeof used_up);
  count += !covered;
  return wakeup_tree_insert(trees, tree, f, used_up, s->length)
         == (covered ? TREE_COVERED : TREE_ADDED);
}

/* Takes all that is in the tree, as a search does; false: a sequence was never put there. */
static bool take_all (WakeupTrees *trees, WakeupTree *tree) {
  static WakeupTree rests[LONGEST + 1];
  memset(rests, 0, sizeof rests);
  rests[0] = *tree;
  path.length = 0;
  for (;;) {
    int i = 0;
    while (!wakeup_tree_is_empty(&rests[path.length])) {
      path.steps[path.length] = wakeup_tree_first(trees, &rests[path.length]);
      wakeup_tree_take(trees, &rests[path.length], &rests[path.length + 1]);
      path.length++;
    }
    while (i < count && (accepted[i].length != path.length || !begins(&accepted[i], &path))) i++;
    if (i == count || accepted[i].taken) return false;
    accepted[i].taken = true;
    while (path.length >= 0 && wakeup_tree_is_empty(&rests[path.length])) path.length--;
    if (path.length < 0) return true;
  }
}

/* How many of n trees, drawn from the seed on, do not give back what they were given. */
int trees_check (uint64_t seed, int n) {
  Footprints *f = footprint_table();
  WakeupTrees *trees = wakeup_trees_new();
  int bad = 0;
  for (uint32_t i = 1; i <= FOOTPRINTS; i++) {
    Access a = {.object = 1, .part = PART_ALL, .write = true, .needs = (uint8_t)(i >> 10)};
    footprint_intern(f, &a, 1, i & 1023);
  }
  for (int i = 0; i < n; i++) {
    WakeupTree tree = {0};
    bool good = true;
    drawn = (seed + (uint64_t)i) << 32;
    count = 0;
    for (int k = 0; k < SEQUENCES; k++) good = insert(trees, &tree, f) && good;
    if (i % 4 == 3) wakeup_tree_clear(trees, &tree);
    else good = take_all(trees, &tree) && good;
    for (int k = 0; k < count && i % 4 != 3; k++) good = good && accepted[k].taken;
    bad += !good || wakeup_trees_size(trees) != 0;
  }
  wakeup_trees_free(trees);
  footprint_table_free(f);
  printf("%d trees, %d differ\n", n, bad);
  return bad != 0;
}
