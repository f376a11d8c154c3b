/*
** encode_path.c - where in a message something stands: `args[1].list[2].co`.
**
** Nothing is noted on the way. The open frames and the keys on the Lua stack
** tell the path when it is asked for, which is when an error is to be raised.
*/
#include <ctype.h>
#include <stdio.h>

#include "message/private.h"

#define PART 96  /* room for one part */
#define SHOWN 12 /* parts at either end of a long path */

static bool is_name (const char *text, size_t length) {
  static const char *const reserved[] = {"and",   "break", "do",       "else", "elseif", "end",
                                         "false", "for",   "function", "goto", "if",     "in",
                                         "local", "nil",   "not",      "or",   "repeat", "return",
                                         "then",  "true",  "until",    "while"};
  if (length == 0 || length > 60 || isdigit((unsigned char)text[0])) return false;
  for (size_t i = 0; i < length; i++)
    if (!isalnum((unsigned char)text[i]) && text[i] != '_') return false;
  for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
    if (strcmp(text, reserved[i]) == 0) return false;
  return true;
}

/* ["a b"], cut after 40 characters. */
static void quote (char *part, const char *text, size_t length) {
  char *p = part;
  *p++ = '[';
  *p++ = '"';
  for (size_t i = 0; i < length && i < 40; i++) {
    if (text[i] == '"' || text[i] == '\\') *p++ = '\\';
    *p++ = (char)(iscntrl((unsigned char)text[i]) ? '?' : text[i]);
  }
  strcpy(p, length > 40 ? "...\"]" : "\"]");
}

/* The part for the table key at the top. [-1, 0] */
static void describe_key (lua_State *L, char *part) {
  size_t length;
  const char *text;
  switch (lua_type(L, -1)) {
    case LUA_TSTRING:
      text = lua_tolstring(L, -1, &length);
      if (is_name(text, length)) snprintf(part, PART, ".%s", text);
      else quote(part, text, length);
      break;
    case LUA_TNUMBER:
      lua_pushvalue(L, -1); /* lua_tolstring converts in place */
      snprintf(part, PART, "[%s]", lua_tostring(L, -1));
      lua_pop(L, 1);
      break;
    case LUA_TBOOLEAN: strcpy(part, lua_toboolean(L, -1) ? "[true]" : "[false]"); break;
    default: snprintf(part, PART, "[<%s>]", luaL_typename(L, -1));
  }
  lua_pop(L, 1);
}

/* Pushes slot n of the frame, wherever it lies. [0, +1] */
static void push_slot (Encoder *e, const Frame *f, int n) {
  if (f->slots.spilled > n) lua_rawgeti(e->L, e->spill, f->slots.spill_at + n + 1);
  else lua_pushvalue(e->L, f->slots.base + n);
}

static void describe_frame (Encoder *e, const Frame *f, char *part) {
  lua_State *L = e->L;
  const char *name;
  switch (f->kind) {
    case IN_FUNCTION:
      push_slot(e, f, 0);
      name = lua_getupvalue(L, -1, (int)f->index);
      snprintf(part, PART, ".<upvalue %.60s>", name != NULL ? name : "?");
      lua_pop(L, name != NULL ? 2 : 1);
      break;
    case IN_TRANSFER: snprintf(part, PART, ".<__transfer %u>", (unsigned)f->index); break;
    default:
      if (f->state == AT_META) strcpy(part, ".<metatable>");
      else if (f->state == AT_KEY) strcpy(part, ".<key>");
      else {
        push_slot(e, f, 1);
        describe_key(L, part);
      }
  }
}

static void describe_root (Encoder *e, char *part) {
  size_t length;
  const char *name, *field;
  switch (e->root) {
    case ROOT_CALL:
      if (e->global > 0) {
        lua_rawgeti(e->L, e->globals, e->global);
        name = lua_tolstring(e->L, -1, &length);
        field = name + strlen(name) + 1; /* of one of Lua's libraries */
        if (strlen(name) == length) snprintf(part, PART, "target.<global %.60s>", name);
        else snprintf(part, PART, "target.<global %.20s.%.50s>", name, field);
        lua_pop(e->L, 1);
      }
      else if (e->item == 1) strcpy(part, "target");
      else snprintf(part, PART, "args[%d]", e->item - 1);
      break;
    case ROOT_RESULTS: snprintf(part, PART, "results[%d]", e->item); break;
    case ROOT_MODULES: strcpy(part, "modules"); break;
    case ROOT_ERROR: strcpy(part, "error"); break;
    default: strcpy(part, "item");
  }
}

void encode_path_push (Encoder *e) {
  char part[PART];
  luaL_Buffer b;
  luaL_checkstack(e->L, 8, NULL);
  luaL_buffinit(e->L, &b);
  describe_root(e, part);
  luaL_addstring(&b, part);
  for (int i = 0; i < e->depth; i++) {
    if (i == SHOWN && e->depth > 2 * SHOWN + 1) {
      luaL_addstring(&b, "...");
      i = e->depth - SHOWN;
    }
    describe_frame(e, &e->frames[i], part);
    luaL_addstring(&b, part);
  }
  luaL_pushresult(&b);
}
