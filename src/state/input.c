/*
** input.c - io.read, io.lines and the methods read and lines of files, as in
** Lua's own library; but a thread that waits for input says so (system.h), and
** its Lua stack can be read meanwhile. So each wait lies between two calls of Lua.
*/
#include <ctype.h>
#include <errno.h>
#include <locale.h>
#include <stdbool.h>
#include <string.h>

#include <lualib.h>

#include "state/files.h"
#include "state/stdlib.h"
#include "thread/system.h"

#define FORMATS_MOST 250 /* of `lines` */
#define NUMERAL_MOST 200 /* characters; longer ones are no numbers */

/*
** One value. Each reader pushes one, and returns whether it was there.
*/

/* Reads into `to` until it is full or the line ends; *last is the last character read, or EOF. */
static size_t line_piece (lua_State *L, FILE *f, char *to, size_t most, int *last) {
  size_t n = 0;
  int c = 0;
  system_enter(L);
  flockfile(f);
  while (n < most && (c = getc_unlocked(f)) != EOF && c != '\n') to[n++] = (char)c;
  funlockfile(f);
  system_leave();
  *last = c;
  return n;
}

static bool read_line (lua_State *L, FILE *f, bool chop) {
  luaL_Buffer b;
  int last;
  luaL_buffinit(L, &b);
  do luaL_addsize(&b, line_piece(L, f, luaL_prepbuffer(&b), LUAL_BUFFERSIZE, &last));
  while (last != EOF && last != '\n');
  if (last == '\n' && !chop) luaL_addchar(&b, '\n');
  luaL_pushresult(&b);
  return last == '\n' || lua_rawlen(L, -1) > 0;
}

static size_t block (lua_State *L, FILE *f, char *to, size_t most) {
  size_t n;
  system_enter(L);
  n = fread(to, 1, most, f);
  system_leave();
  return n;
}

static bool read_all (lua_State *L, FILE *f) {
  luaL_Buffer b;
  size_t n;
  luaL_buffinit(L, &b);
  do {
    n = block(L, f, luaL_prepbuffer(&b), LUAL_BUFFERSIZE);
    luaL_addsize(&b, n);
  } while (n == LUAL_BUFFERSIZE);
  luaL_pushresult(&b);
  return true;
}

static bool read_bytes (lua_State *L, FILE *f, size_t most) {
  luaL_Buffer b;
  size_t n;
  luaL_buffinit(L, &b);
  n = block(L, f, luaL_prepbuffsize(&b, most), most);
  luaL_addsize(&b, n);
  luaL_pushresult(&b);
  return n > 0;
}

/* An empty string, unless the file is at its end. */
static bool read_nothing (lua_State *L, FILE *f) {
  int c;
  system_enter(L);
  c = getc(f);
  ungetc(c, f);
  system_leave();
  lua_pushliteral(L, "");
  return c != EOF;
}

/* A numeral as far as it has been read; `next` is the character behind it. */
typedef struct Numeral {
  FILE *file;
  int next;
  size_t length;
  char text[NUMERAL_MOST + 1];
} Numeral;

/* Takes the next character in. A numeral that gets too long becomes empty, which is no number. */
static bool take (Numeral *n) {
  if (n->length >= NUMERAL_MOST) {
    n->text[0] = '\0';
    return false;
  }
  n->text[n->length++] = (char)n->next;
  n->next = getc_unlocked(n->file);
  return true;
}

static bool take_one_of (Numeral *n, const char *set) {
  return n->next > 0 && strchr(set, n->next) != NULL && take(n);
}

static int take_digits (Numeral *n, bool hex) {
  int count = 0;
  while (n->next != EOF && (hex ? isxdigit(n->next) : isdigit(n->next)) && take(n)) count++;
  return count;
}

/* Reads the longest beginning of the input that may be a numeral. */
static void scan_numeral (Numeral *n) {
  const char point[] = {*localeconv()->decimal_point, '.', '\0'};
  bool hex = false;
  int digits = 0;
  do n->next = getc_unlocked(n->file);
  while (n->next != EOF && isspace(n->next));
  take_one_of(n, "-+");
  if (take_one_of(n, "0")) {
    if (take_one_of(n, "xX")) hex = true;
    else digits = 1;
  }
  digits += take_digits(n, hex);
  if (take_one_of(n, point)) digits += take_digits(n, hex);
  if (digits > 0 && take_one_of(n, hex ? "pP" : "eE")) {
    take_one_of(n, "-+");
    take_digits(n, false);
  }
  ungetc(n->next, n->file);
}

static bool read_number (lua_State *L, FILE *f) {
  Numeral n = {.file = f};
  system_enter(L);
  flockfile(f);
  scan_numeral(&n);
  funlockfile(f);
  system_leave();
  if (lua_stringtonumber(L, n.text) != 0) return true;
  lua_pushnil(L);
  return false;
}

/*
** Several values, by formats.
*/

static bool read_format (lua_State *L, FILE *f, int arg) {
  const char *format = luaL_checkstring(L, arg);
  if (*format == '*') format++; /* as in Lua 5.1 to 5.3 */
  switch (*format) {
    case 'n': return read_number(L, f);
    case 'l': return read_line(L, f, true);
    case 'L': return read_line(L, f, false);
    case 'a': return read_all(L, f);
    default: return luaL_argerror(L, arg, "invalid format");
  }
}

static bool read_value (lua_State *L, FILE *f, int arg) {
  size_t most;
  if (lua_type(L, arg) != LUA_TNUMBER) return read_format(L, f, arg);
  most = (size_t)luaL_checkinteger(L, arg);
  return most == 0 ? read_nothing(L, f) : read_bytes(L, f, most);
}

/*
** Reads what the arguments from `first` on ask for; without any, a line. Pushes the
** values, of which the last is nil where it was not there; or nil and an error.
** Returns how many it has pushed.
*/
static int read_values (lua_State *L, FILE *f, int first) {
  int top = lua_gettop(L), arg = first;
  bool there = true;
  luaL_checkstack(L, top + LUA_MINSTACK, "too many arguments");
  clearerr(f);
  errno = 0;
  if (top < first) there = read_line(L, f, true);
  for (; there && arg <= top; arg++) there = read_value(L, f, arg);
  if (ferror(f)) return luaL_fileresult(L, 0, NULL);
  if (!there) {
    lua_pop(L, 1);
    lua_pushnil(L);
  }
  return lua_gettop(L) - top;
}

static int io_read (lua_State *L) {
  FILE *f = files_default(L, "input")->f;
  lua_pop(L, 1);
  return read_values(L, f, 1);
}

static int file_read (lua_State *L) { return read_values(L, files_check(L)->f, 2); }

/*
** Lines.
*/

/*
** The iterator. Upvalues: the file, how many formats there are, whether it is closed
** at the end, the formats.
*/
static int next_values (lua_State *L) {
  luaL_Stream *s = lua_touserdata(L, lua_upvalueindex(1));
  int formats = (int)lua_tointeger(L, lua_upvalueindex(2)), n;
  if (s->closef == NULL) return luaL_error(L, "file is already closed");
  lua_settop(L, 1);
  luaL_checkstack(L, formats, "too many arguments");
  for (int i = 1; i <= formats; i++) lua_pushvalue(L, lua_upvalueindex(3 + i));
  n = read_values(L, s->f, 2);
  if (lua_toboolean(L, -n)) return n;
  if (n > 1) return luaL_error(L, "%s", lua_tostring(L, -n + 1));
  if (lua_toboolean(L, lua_upvalueindex(3))) {
    lua_getfield(L, lua_upvalueindex(1), "close");
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_call(L, 1, 0);
  }
  return 0;
}

/* Makes the iterator over argument 1, a file, with the formats behind it. [-formats, +1] */
static void push_iterator (lua_State *L, bool closes) {
  int formats = lua_gettop(L) - 1;
  luaL_argcheck(L, formats <= FORMATS_MOST, FORMATS_MOST + 2, "too many arguments");
  lua_pushvalue(L, 1);
  lua_pushinteger(L, formats);
  lua_pushboolean(L, closes);
  lua_rotate(L, 2, 3);
  lua_pushcclosure(L, next_values, 3 + formats);
}

static int file_lines (lua_State *L) {
  files_check(L);
  push_iterator(L, false);
  return 1;
}

/* io.lines([name, ...]): of a file that it opens, four values: the last one closes it. */
static int io_lines (lua_State *L) {
  if (lua_isnone(L, 1)) lua_pushnil(L);
  if (lua_isnil(L, 1)) {
    lua_getfield(L, LUA_REGISTRYINDEX, "_IO_input");
    lua_replace(L, 1);
    return file_lines(L);
  }
  const char *name = luaL_checkstring(L, 1);
  if (files_open(L, name, "r") == NULL)
    luaL_error(L, "cannot open file '%s' (%s)", name, strerror(errno));
  lua_replace(L, 1);
  push_iterator(L, true);
  lua_pushnil(L);
  lua_pushnil(L);
  lua_pushvalue(L, 1);
  return 4;
}

void input_equip (lua_State *L) {
  replace_function(L, LUA_IOLIBNAME, "read", io_read);
  replace_function(L, LUA_IOLIBNAME, "lines", io_lines);
  files_set_method(L, "read", file_read);
  files_set_method(L, "lines", file_lines);
}
