/*
** cycles.c - the search for objects that are reached from each other only.
**
** The nodes are all holders of a world and the messages in them. Each is asked for
** the references it holds. A node that has as many references as come from other
** nodes is reached from nodes only; if no node outside of them leads to a set of
** such nodes, the set is garbage. All others - proxies of Lua states, threads that
** run, items on their way, what is in no holder - count as references from outside,
** and so does whatever the search leaves out: it errs towards keeping.
**
** Threads go on meanwhile, so what was seen at different times must be shown to have
** been true at one time, T: after all references have been counted and before
** anything is looked at again.
**
**   - A count is taken before T and once more after it. The same word means that no
**     reference has come or gone in between (counted.h).
**   - A holder gives its version with the references that it reports, and again after
**     T. The same version means that all of these are still there.
**
** What fails one of the two counts as reached from outside, with all it leads to.
** For the rest both hold: at T every reference to it came from within, so no thread
** could reach it, and none ever will. The order in memory is that of the counts: a
** thread that lets go of a node has added what it took from that node before.
**
** The search holds a reference to each node. So nothing it looks at is freed, no
** address comes twice, and when garbage is destroyed, one after the other, what they
** drop of each other is never the last reference.
*/
#include <stdlib.h>

#include "world/burden.h"
#include "world/cycles.h"
#include "world/world.h"

#define FEW 16      /* suspects that are too few for a search at once */
#define PER_DROP 2  /* nodes and references looked at for each suspect, at most */
#define PER_SWEEP 8 /* the same where all that was left has gone at once */
#define VAIN_MOST 4 /* searches in vain, each of which doubles what is enough */
#define SHARE 50    /* of the time of real threads, one in so many may go into searches */
#define MANY 1000   /* objects destroyed at once: the C library would keep their memory */

typedef struct Node {
  Counted *counted;
  const CyclesPart *part; /* NULL: an Object */
  uint64_t word, version;
  size_t edges; /* where its edges begin; they end where the next node's begin */
  uint32_t inner;
  bool live;
} Node;

struct CycleSearch {
  Node *nodes;
  size_t node_count, node_capacity;
  uint32_t *edges; /* numbers of nodes */
  size_t edge_count, edge_capacity;
  uint32_t *open; /* live nodes whose edges are to be followed */
  size_t open_count;
};

void cycles_init (Cycles *c) {
  pthread_mutex_init(&c->mu, NULL);
  atomic_init(&c->enough, FEW);
}

/*
** Holders.
*/

void cycles_add_holder (Object *o) {
  Cycles *c = &o->world->cycles;
  pthread_mutex_lock(&c->mu);
  if (!atomic_load_explicit(&o->holds, memory_order_relaxed)) {
    o->previous = NULL;
    o->next = c->holders;
    if (o->next != NULL) o->next->previous = o;
    c->holders = o;
    c->count++;
    atomic_store_explicit(&o->holds, true, memory_order_relaxed);
  }
  pthread_mutex_unlock(&c->mu);
}

void cycles_remove_holder (Object *o) {
  Cycles *c = &o->world->cycles;
  pthread_mutex_lock(&c->mu);
  if (o->previous != NULL) o->previous->next = o->next;
  else c->holders = o->next;
  if (o->next != NULL) o->next->previous = o->previous;
  c->count--;
  atomic_store_explicit(&o->holds, false, memory_order_relaxed);
  pthread_mutex_unlock(&c->mu);
}

bool cycles_any (World *world) {
  Cycles *c = &world->cycles;
  bool any;
  pthread_mutex_lock(&c->mu);
  any = c->count > 0;
  pthread_mutex_unlock(&c->mu);
  return any;
}

/*
** Counting.
*/

static void *more (void *block, size_t *capacity, size_t needed, size_t size) {
  size_t grown = *capacity + *capacity / 2 + needed;
  void *bigger = realloc(block, grown * size);
  if (bigger == NULL) return block;
  *capacity = grown;
  return bigger;
}

static void reserve_nodes (CycleSearch *s, size_t n) {
  if (s->node_capacity - s->node_count < n)
    s->nodes = more(s->nodes, &s->node_capacity, n, sizeof *s->nodes);
}

static void reserve_edges (CycleSearch *s, size_t n) {
  if (s->edge_capacity - s->edge_count < n)
    s->edges = more(s->edges, &s->edge_capacity, n, sizeof *s->edges);
}

void cycles_reserve (CycleSearch *s, size_t n) {
  reserve_nodes(s, n);
  reserve_edges(s, n);
}

/* The counted one becomes a node. The caller has added a reference for it. */
static void add_node (CycleSearch *s, Counted *counted, const CyclesPart *part) {
  s->nodes[s->node_count++] = (Node){.counted = counted, .part = part};
  counted->mark = (uint32_t)s->node_count;
}

/* Takes all holders there are as nodes. One that is new meanwhile may be left out. */
static void gather (CycleSearch *s, Cycles *c) {
  size_t count;
  pthread_mutex_lock(&c->mu);
  count = c->count;
  pthread_mutex_unlock(&c->mu);
  if (count > 0) reserve_nodes(s, count + count / 4 + 4);
  pthread_mutex_lock(&c->mu);
  for (Object *o = c->holders; o != NULL && s->node_count < s->node_capacity; o = o->next)
    if (counted_try_keep(&o->counted)) add_node(s, &o->counted, NULL);
  pthread_mutex_unlock(&c->mu);
}

static void add_edge (CycleSearch *s, const Counted *to) {
  reserve_edges(s, 1);
  if (s->edge_count == s->edge_capacity) return;
  s->edges[s->edge_count++] = to->mark - 1;
  s->nodes[to->mark - 1].inner++;
}

void cycles_object (CycleSearch *s, Object *o) {
  if (o->kind->visit != NULL && o->counted.mark != 0) add_edge(s, &o->counted);
}

void cycles_part (CycleSearch *s, Counted *part, const CyclesPart *kind) {
  if (part->mark == 0) {
    reserve_nodes(s, 1);
    if (s->node_count == s->node_capacity) return;
    counted_keep(part);
    add_node(s, part, kind);
  }
  add_edge(s, part);
}

static void visit_all (CycleSearch *s) {
  for (size_t i = 0; i < s->node_count; i++) { /* which grows meanwhile, and moves */
    Counted *counted = s->nodes[i].counted;
    uint64_t version = 0;
    s->nodes[i].edges = s->edge_count;
    if (s->nodes[i].part != NULL) s->nodes[i].part->visit(counted, s);
    else version = ((Object *)counted)->kind->visit((Object *)counted, s);
    s->nodes[i].version = version;
  }
}

/*
** Judging.
*/

static void set_live (CycleSearch *s, size_t i) {
  if (s->nodes[i].live) return;
  s->nodes[i].live = true;
  s->open[s->open_count++] = (uint32_t)i;
}

static size_t edges_end (const CycleSearch *s, size_t i) {
  return i + 1 < s->node_count ? s->nodes[i + 1].edges : s->edge_count;
}

static void follow (CycleSearch *s) {
  while (s->open_count > 0) {
    size_t i = s->open[--s->open_count];
    for (size_t k = s->nodes[i].edges; k < edges_end(s, i); k++) set_live(s, s->edges[k]);
  }
}

/* The nodes that have references from outside, and all they lead to. */
static void find_live (CycleSearch *s) {
  for (size_t i = 0; i < s->node_count; i++) {
    Node *n = &s->nodes[i];
    n->word = atomic_load(&n->counted->word);
    if ((uint32_t)n->word != n->inner + 1) set_live(s, i);
  }
  follow(s);
}

/* After T: those of the others that may have changed since they were looked at. */
static void find_changed (CycleSearch *s) {
  for (size_t i = 0; i < s->node_count; i++) {
    const Node *n = &s->nodes[i];
    Object *o = (Object *)n->counted;
    if (n->live) continue;
    if (n->part == NULL && o->kind->visit(o, NULL) != n->version) set_live(s, i);
    else if (atomic_load(&n->counted->word) != n->word) set_live(s, i);
  }
  follow(s);
}

/*
** Freeing.
*/

/*
** Destroys the objects that are not live, and gives back the references to all nodes.
** Returns how many are destroyed.
*/
static size_t settle (CycleSearch *s) {
  size_t destroyed = 0;
  for (size_t i = 0; i < s->node_count; i++) s->nodes[i].counted->mark = 0;
  for (size_t i = 0; i < s->node_count; i++)
    if (!s->nodes[i].live && s->nodes[i].part == NULL) {
      object_empty((Object *)s->nodes[i].counted);
      destroyed++;
    }
  for (size_t i = 0; i < s->node_count; i++) {
    Node *n = &s->nodes[i];
    if (n->part != NULL) n->part->drop(n->counted);
    else if (n->live) object_let_go((Object *)n->counted);
  }
  for (size_t i = 0; i < s->node_count; i++)
    if (!s->nodes[i].live && s->nodes[i].part == NULL) object_free((Object *)s->nodes[i].counted);
  return destroyed;
}

/* How much has been looked at that is alive. */
static size_t count_live (const CycleSearch *s) {
  size_t count = 0;
  for (size_t i = 0; i < s->node_count; i++)
    if (s->nodes[i].live) count += 1 + edges_end(s, i) - s->nodes[i].edges;
  return count;
}

/* How many suspects make the next search worth its time. */
static void note_result (Cycles *c, size_t live, bool in_vain) {
  size_t enough = live / PER_DROP < FEW ? FEW : live / PER_DROP;
  if (!in_vain) c->in_vain = 0;
  else if (c->in_vain < VAIN_MOST) c->in_vain++;
  atomic_store(&c->live, live);
  atomic_store(&c->enough, enough << c->in_vain);
}

/* All nodes have been visited: says which of them live. */
static void judge (CycleSearch *s) {
  s->open = malloc((s->node_count + 1) * sizeof *s->open);
  if (s->open != NULL) {
    find_live(s);
    find_changed(s);
  }
  else
    for (size_t i = 0; i < s->node_count; i++) s->nodes[i].live = true;
}

static void release (CycleSearch *s) {
  free(s->nodes);
  free(s->edges);
  free(s->open);
}

static void search (Cycles *c) {
  CycleSearch s = {.nodes = NULL};
  size_t destroyed;
  gather(&s, c);
  visit_all(&s);
  judge(&s);
  destroyed = settle(&s);
  note_result(c, count_live(&s), destroyed == 0);
  release(&s);
  if (destroyed >= MANY) burden_give_back();
}

/* A simulated world must not depend on how long something takes. */
static bool is_worth (World *world, unsigned suspects, CyclesPoll why) {
  Cycles *c = &world->cycles;
  if (why == CYCLES_ASKED || suspects >= atomic_load_explicit(&c->enough, memory_order_relaxed))
    return true;
  if (why == CYCLES_DROPPED) return false;
  return suspects >= c->live / PER_SWEEP
         || (world_is_parallel(world) && world_now(world) >= c->due);
}

void cycles_poll (World *world, CyclesPoll why) {
  Cycles *c = &world->cycles;
  unsigned suspects = atomic_load_explicit(&c->suspects, memory_order_relaxed);
  Nanos start;
  if (suspects == 0 || !is_worth(world, suspects, why)) return;
  if (atomic_exchange(&c->searching, true)) return;
  atomic_store(&c->suspects, 0);
  start = world_now(world);
  search(c);
  c->due = world_now(world) + SHARE * (world_now(world) - start);
  atomic_store(&c->searching, false);
}

/*
** What one thread alone keeps alive.
*/

size_t cycles_inside_number (const Object *o) {
  return o->kind->visit != NULL ? o->counted.mark : 0;
}

CycleSearch *cycles_inside_begin (World *world, Object *const *own, int n) {
  Cycles *c = &world->cycles;
  CycleSearch *s = calloc(1, sizeof *s);
  if (s == NULL || atomic_exchange(&c->searching, true)) {
    free(s);
    return NULL;
  }
  gather(s, c);
  visit_all(s);
  for (int i = 0; i < n; i++)
    if (cycles_inside_number(own[i]) != 0) s->nodes[cycles_inside_number(own[i]) - 1].inner++;
  judge(s);
  return s;
}

void cycles_inside_end (World *world, CycleSearch *s) {
  for (size_t i = 0; i < s->node_count; i++) s->nodes[i].counted->mark = 0;
  for (size_t i = 0; i < s->node_count; i++) {
    Node *n = &s->nodes[i];
    if (n->part != NULL) n->part->drop(n->counted);
    else object_let_go((Object *)n->counted);
  }
  release(s);
  free(s);
  atomic_store(&world->cycles.searching, false);
}

size_t cycles_inside_count (const CycleSearch *s) { return s->node_count; }

bool cycles_is_inside (const CycleSearch *s, size_t i) { return !s->nodes[i].live; }

Object *cycles_inside_object (const CycleSearch *s, size_t i) {
  return s->nodes[i].part == NULL ? (Object *)s->nodes[i].counted : NULL;
}

size_t cycles_inside_edges (const CycleSearch *s, size_t i, const uint32_t **to) {
  *to = s->edges + s->nodes[i].edges;
  return edges_end(s, i) - s->nodes[i].edges;
}
