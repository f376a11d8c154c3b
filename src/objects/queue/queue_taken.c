/*
** queue_taken.c - an item on its way from a queue into the Lua state of who got it.
**
** That may need memory which is not there. The item is then the queue's first again,
** for this thread's next try, or for another thread.
*/
#include "base/fence.h"
#include "objects/queue/queue.h"
#include "state/heap.h"
#include "world/memory.h"
#include "world/args.h"

/* What a short string takes in Lua 5.4 in front of its bytes. */
#define STRING_HEAD 24

void queue_free_taken (Queue *q, PriorityEntry *e) {
  slot_free(&e->slot);
  if (q->order == ORDER_PRIORITY) world_free(q->object.world, (char *)e->priority.text);
}

static bool put_back (Queue *q, const PriorityEntry *e) {
  if (q->order == ORDER_FIFO) return queue_fifo_return(&q->fifo, &e->slot);
  if (q->order == ORDER_LIFO) return queue_stack_return(&q->heap, e);
  return queue_priority_return(&q->heap, e);
}

/*
** The item is inside again, also where the queue is full by now, or shut down: it has
** been put, and nobody has got it.
*/
static void give_back (Queue *q, PriorityEntry *e) {
  uint64_t taken;
  bool back;
  spinlock_take(q->put_spin);
  if (q->get_spin != q->put_spin) spinlock_take(q->get_spin);
  back = put_back(q, e);
  taken = atomic_load(&q->taken) - 1;
  if (back) {
    q->seen_taken = taken;
    fence_write(&q->taken, taken);
  }
  if (q->get_spin != q->put_spin) spinlock_give(q->get_spin);
  spinlock_give(q->put_spin);
  if (back) queue_serve_getters(q);
  else queue_free_taken(q, e);
}

static int push_slot (lua_State *L) {
  slot_push(L, args_inner(L, 1));
  return 1;
}

/* Whether the memory for it is there. */
static bool is_at_hand (lua_State *L, const Slot *s) {
  void *h;
  return s->tag == SLOT_TEXT_IN && lua_getallocf(L, &h) == heap_alloc
         && heap_has_room(h, STRING_HEAD + s->length + (size_t)1);
}

void queue_push_slowly (lua_State *L, Queue *q, PriorityEntry *e) {
  int status;
  if (q->order != ORDER_PRIORITY && is_at_hand(L, &e->slot)) {
    slot_push(L, &e->slot);
    return;
  }
  if (!lua_checkstack(L, 2)) {
    give_back(q, e);
    luaL_error(L, "stack overflow");
  }
  lua_pushcfunction(L, push_slot);
  lua_pushlightuserdata(L, &e->slot);
  status = lua_pcall(L, 1, 1, 0);
  if (status != LUA_OK && args_is_no_memory(L, -1)) give_back(q, e);
  else queue_free_taken(q, e);
  if (status != LUA_OK) lua_error(L);
}
