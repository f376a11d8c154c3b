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
  message_drop_counted(e->data, e->last_counted);
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
  e->depth = e->deepest = e->spilled = e->anchored = e->ordered = e->transfers = 0;
  e->global = e->global_count = e->defined_count = 0;
  e->shared = e->level = 0;
  e->learnt = e->metatable = e->anchors_wanted = e->leads = e->plain = false;
  e->watched = 0;
  e->last_counted = 0;
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

void encoder_open (Encoder *e, FrameKind kind, size_t record, uint32_t count) {
  lua_State *L = e->L;
  Frame *f;
  if (e->mode != MODE_PLAIN) luaL_checkstack(L, FRAME_SLOTS + LUA_MINSTACK, NULL);
  if (e->depth == e->frame_capacity) grow_frames(e);
  if (e->depth >= SPILL_DEPTH) {
    encoder_table_used(e, e->spill);
    slots_spill(L, &e->frames[e->depth - 1].slots, e->spill, &e->spilled);
  }
  f = &e->frames[e->depth++];
  f->kind = (uint8_t)kind;
  if (kind == IN_TABLE) e->watched |= WATCH_TABLES;
  f->state = AT_ARRAY;
  f->slots.base = lua_gettop(L);
  f->slots.spilled = 0;
  f->sorted = 0;
  f->index = 0;
  f->count = count;
  f->record = record;
  if (e->depth > e->deepest) e->deepest = e->depth;
}

void encoder_close (Encoder *e) {
  Frame *f = &e->frames[--e->depth];
  lua_settop(e->L, f->slots.base - 1);
  if (e->depth > 0 && f[-1].slots.spilled != 0)
    slots_restore(e->L, &f[-1].slots, e->spill, &e->spilled);
}

/*
** References.
*/

void encoder_remember (Encoder *e, const void *key, size_t value) {
  if (!encode_map_add(e, key, value)) encoder_no_memory(e);
}

void encoder_share (Encoder *e, size_t record) {
  if (e->data[record] & TAG_SHARED) return;
  e->data[record] |= TAG_SHARED;
  e->shared++;
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

bool encoder_loadable (Encoder *e) {
  size_t length;
  const char *bytes = lua_tolstring(e->L, -1, &length);
  Name n = name_read(bytes, length);
  return n.space != NAME_LOADED || names_loadable(e->L, n.module);
}

bool encoder_named (Encoder *e) {
  size_t length;
  const char *name = lua_tolstring(e->L, -1, &length);
  unsigned char *p = encoder_room(e, NAMED_HEAD + length);
  p[0] = TAG_NAMED;
  set32(p + NAMED_LENGTH, (uint32_t)length);
  memcpy(p + NAMED_HEAD, name, length);
  lua_pop(e->L, 2);
  return true;
}
