/*
** encoder.c - what every part of encoding stands on: room in the block, frames
** and their slots, references, errors.
*/
#include <stdarg.h>

#include "message/private.h"
#include "world/args.h"

/*
** Room.
*/

void encoder_reserve (Encoder *e, size_t n) {
  size_t capacity = e->capacity * 2;
  bool mine = e->data == e->scratch;
  unsigned char *data;
  if (n > SIZE_MAX / 4) encoder_no_memory(e);
  if (capacity - e->length < n) capacity = e->length + n + (n < SCRATCH ? SCRATCH : 64);
  data = world_realloc(e->here, mine ? NULL : e->data, capacity);
  if (data == NULL) encoder_no_memory(e);
  if (mine) memcpy(data, e->scratch, e->length);
  e->data = data;
  e->capacity = capacity;
}

static void grow_frames (Encoder *e) {
  int capacity = e->frame_capacity * 2;
  bool mine = e->frames == e->few_frames;
  Frame *frames =
      world_realloc(e->here, mine ? NULL : e->frames, (size_t)capacity * sizeof *frames);
  if (frames == NULL) encoder_no_memory(e);
  if (mine) memcpy(frames, e->few_frames, sizeof e->few_frames);
  e->frames = frames;
  e->frame_capacity = capacity;
}

void encoder_release (Encoder *e) {
  message_drop_objects(e->data, e->last_object);
  if (e->data != e->scratch) world_free(e->here, e->data);
  if (e->frames != e->few_frames) world_free(e->here, e->frames);
  if (e->entries != e->few_entries) world_free(e->here, e->entries);
  e->data = e->scratch;
  e->capacity = SCRATCH;
  e->length = sizeof(Message);
  e->frames = e->few_frames;
  e->frame_capacity = PLAIN_DEPTH;
  e->entries = e->few_entries;
  e->entry_count = e->entry_mask = 0;
  e->depth = e->deepest = e->spilled = e->anchored = e->transfers = 0;
  e->global = e->global_count = 0;
  e->shared = 0;
  e->learnt = false;
  e->last_object = e->last_class = 0;
}

/*
** Errors.
*/

/* In plain mode nobody catches: what is held goes first. */
void encoder_no_memory (Encoder *e) {
  lua_State *L = e->L;
  if (e->mode == MODE_PLAIN) encoder_release(e);
  args_no_memory(L);
}

void encoder_fault (Encoder *e, const char *format, ...) {
  va_list arguments;
  lua_State *L = e->L;
  luaL_checkstack(L, 8, NULL);
  va_start(arguments, format);
  lua_pushvfstring(L, format, arguments);
  va_end(arguments);
  encode_path_push(e);
  lua_pushfstring(L, "%s (at %s)", lua_tostring(L, -2), lua_tostring(L, -1));
  e->fault = true;
  lua_error(L);
  abort(); /* not reached */
}

/*
** Frames.
*/

void encoder_table_used (Encoder *e, int index) {
  if (!lua_isnil(e->L, index)) return;
  lua_newtable(e->L);
  lua_replace(e->L, index);
}

/* Moves the slots of the frame on top away from under the value at the top of the stack. */
static void spill (Encoder *e) {
  lua_State *L = e->L;
  Frame *f = &e->frames[e->depth - 1];
  encoder_table_used(e, e->spill);
  f->spilled = lua_gettop(L) - f->base;
  f->spill_at = e->spilled;
  for (int i = 0; i < f->spilled; i++) {
    lua_pushvalue(L, f->base + i);
    lua_rawseti(L, e->spill, ++e->spilled);
  }
  lua_replace(L, f->base);
  lua_settop(L, f->base);
}

static void unspill (Encoder *e, Frame *f) {
  for (int i = 1; i <= f->spilled; i++) lua_rawgeti(e->L, e->spill, f->spill_at + i);
  e->spilled = f->spill_at;
  f->spilled = 0;
}

void encoder_open (Encoder *e, FrameKind kind, size_t record, uint32_t count) {
  lua_State *L = e->L;
  Frame *f;
  if (e->mode != MODE_PLAIN) luaL_checkstack(L, LUA_MINSTACK, NULL);
  if (e->depth == e->frame_capacity) grow_frames(e);
  if (e->depth >= SPILL_DEPTH) spill(e);
  f = &e->frames[e->depth++];
  f->kind = (uint8_t)kind;
  f->state = AT_ARRAY;
  f->base = lua_gettop(L);
  f->spilled = 0;
  f->index = 0;
  f->count = count;
  f->record = record;
  if (e->depth > e->deepest) e->deepest = e->depth;
}

void encoder_close (Encoder *e) {
  Frame *f = &e->frames[--e->depth];
  lua_settop(e->L, f->base - 1);
  if (e->depth > 0 && f[-1].spilled != 0) unspill(e, f - 1);
}

/*
** References.
*/

void encoder_remember (Encoder *e, const void *key, size_t value) {
  if (!encode_map_add(e, key, value)) encoder_no_memory(e);
}

/* Classes that hold the record and are closed must not be skipped. */
static void keep_classes (Encoder *e, size_t record) {
  for (size_t at = e->last_class; at != 0; at = (size_t)get64(e->data + at + 17)) {
    uint64_t skip = get64(e->data + at + 9);
    if (skip != 0 && record > at && record < at + CLASS_HEAD + skip) set64(e->data + at + 9, 0);
  }
}

bool encoder_share (Encoder *e, size_t record) {
  if (!(e->data[record] & TAG_SHARED)) {
    e->data[record] |= TAG_SHARED;
    e->shared++;
  }
  keep_classes(e, record);
  return true;
}

bool encoder_reference (Encoder *e, size_t target) {
  uint64_t offset = target;
  if ((e->data[target] & TAG_KIND) == TAG_OPEN)
    encoder_fault(e, "cannot send a %s whose '__transfer' leads to itself",
                  luaL_typename(e->L, -1));
  encoder_share(e, target);
  put_tag64(e, TAG_REF, &offset);
  lua_pop(e->L, 1);
  return true;
}

void encoder_note (Encoder *e, size_t record) {
  lua_State *L = e->L;
  encoder_remember(e, lua_topointer(L, -1), record);
  if (e->mode != MODE_ANCHORED) return;
  encoder_table_used(e, e->anchors);
  lua_pushvalue(L, -1);
  lua_rawseti(L, e->anchors, ++e->anchored);
}

bool encoder_named (Encoder *e) {
  size_t length;
  const char *name = lua_tolstring(e->L, -1, &length);
  unsigned char *p = encoder_room(e, 5 + length);
  p[0] = TAG_NAMED;
  set32(p + 1, (uint32_t)length);
  memcpy(p + 5, name, length);
  lua_pop(e->L, 2);
  return true;
}
