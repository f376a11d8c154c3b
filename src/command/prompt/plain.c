/*
** plain.c - the reader for `-i` where standard input is no terminal. As Debian's
** lua5.4 it echoes what it reads after the prompt, so that its output is a
** transcript.
*/
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <lauxlib.h>

#include "command/call.h"
#include "command/prompt/plain.h"

static void write_prompt (lua_State *L, bool first) {
  lua_getglobal(L, first ? "_PROMPT" : "_PROMPT2");
  bool is_set = !lua_isnil(L, -1);
  fputs(is_set ? luaL_tolstring(L, -1, NULL) : first ? "> " : ">> ", stdout);
  fflush(stdout);
  lua_pop(L, is_set ? 2 : 1);
}

/* [-0, +1] the line without its end; [-0, +0] and false at the end of input */
static bool push_line (lua_State *L, bool first) {
  luaL_Buffer line;
  int c;
  write_prompt(L, first);
  luaL_buffinit(L, &line);
  while ((c = getchar()) != EOF && c != '\n') luaL_addchar(&line, (char)c);
  luaL_pushresult(&line);
  if (c == EOF && lua_rawlen(L, -1) == 0) {
    lua_pop(L, 1);
    return false;
  }
  if (!isatty(STDIN_FILENO)) {
    fwrite(lua_tostring(L, -1), 1, lua_rawlen(L, -1), stdout);
    fputc('\n', stdout);
  }
  return true;
}

/* [-0, +1]: the function or the message */
static int load_line (lua_State *L, const char *text, size_t size) {
  return luaL_loadbuffer(L, text, size, "=stdin");
}

/* Did loading fail only because the text is not finished? */
static bool is_incomplete (lua_State *L, int status) {
  static const char mark[] = "<eof>";
  size_t size, n = sizeof mark - 1;
  if (status != LUA_ERRSYNTAX) return false;
  const char *message = lua_tolstring(L, -1, &size);
  return size >= n && strcmp(message + size - n, mark) == 0;
}

/* text -> text, then the function or message above it */
static int load_statement (lua_State *L) {
  for (;;) {
    size_t size;
    const char *text = lua_tolstring(L, -1, &size);
    int status = load_line(L, text, size);
    if (!is_incomplete(L, status) || !push_line(L, false)) return status;
    lua_remove(L, -2); /* text, line */
    lua_pushliteral(L, "\n");
    lua_insert(L, -2);
    lua_concat(L, 3);
  }
}

/* [-0, +1] function or message of one entry; -1 and nothing at the end */
static int load_entry (lua_State *L) {
  if (!push_line(L, true)) return -1;
  const char *line = lua_tostring(L, -1);
  if (line[0] == '=') { /* as in Lua 5.1 */
    lua_pushfstring(L, "return %s", line + 1);
    lua_remove(L, -2);
    line = lua_tostring(L, -1);
  }
  const char *expression = lua_pushfstring(L, "return %s", line);
  int status = load_line(L, expression, strlen(expression));
  lua_remove(L, -2); /* line, function or message */
  if (status != LUA_OK) {
    lua_pop(L, 1);
    status = load_statement(L);
  }
  lua_remove(L, -2); /* the text */
  return status;
}

/* [-n, +0]: shows the n results through the global print */
static void print_results (lua_State *L, int n) {
  if (n == 0) return;
  luaL_checkstack(L, LUA_MINSTACK, "too many results to print");
  lua_getglobal(L, "print");
  lua_insert(L, -n - 1);
  if (lua_pcall(L, n, 0, 0) != LUA_OK)
    call_say(NULL, lua_pushfstring(L, "error calling 'print' (%s)", lua_tostring(L, -1)));
}

void plain_run (lua_State *L) {
  int status;
  lua_settop(L, 0);
  while ((status = load_entry(L)) != -1) {
    if (status == LUA_OK) status = call_function(L, 0, LUA_MULTRET);
    if (status == LUA_OK) print_results(L, lua_gettop(L));
    else call_report(L, status, NULL);
    lua_settop(L, 0);
  }
  fputc('\n', stdout);
  fflush(stdout);
}
