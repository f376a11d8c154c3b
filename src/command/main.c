/*
** main.c - the command `luasync`: Lua's stand-alone interpreter plus worlds.
**
** What a Lua user's fingers know stays the same as in lua5.4: the order in
** which options act, the table `arg`, messages, tracebacks, exit codes. The
** command line is read (options.c), then run_real or run_simulated takes over.
*/
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <lauxlib.h>

#include "command/call.h"
#include "command/options.h"
#include "command/run.h"
#include "command/text.h"
#include "command/trace.h"
#include "module/luasync.h"
#include "module/program.h"
#include "world/args.h"

/* The option that asks for something else than the plain real world. */
static const char *world_option (const Options *o) {
  if (o->explore) return "--explore";
  if (o->schedule) return "--replay";
  if (o->seeded) return "--seed";
  if (o->virtual_clock) return "--virtual";
  return NULL;
}

/* Everything but the plain real world branches here. */
static int run_in_world (const Options *o) {
  bool typed = isatty(STDIN_FILENO);
  bool script = o->script < o->argc || o->has_chunk || !typed;
  bool prompt = o->interactive || !script;
  if (o->explore && (o->waits || o->lock_order))
    fprintf(stderr, "%s: options '--explore' and '%s' exclude each other\n", o->program,
            o->waits ? "--waits" : "--lock-order");
  else if (prompt && (o->explore || o->schedule || !typed))
    fprintf(stderr, "%s: %s needs a script\n", o->program, world_option(o));
  else return o->explore ? run_explored(o) : run_simulated(o);
  return EXIT_FAILURE;
}

/* Called with the Options as light userdata. */
static int help_chunk (lua_State *L) {
  static const char code[] = "local text, problem = require 'luasync.reference'.render(...) "
                             "if not text then error(problem, 0) end io.write(text, '\\n')";
  const Options *o = args_inner(L, 1);
  if (luaL_loadbuffer(L, code, sizeof code - 1, "=help") != LUA_OK) return lua_error(L);
  lua_pushstring(L, o->topic);
  lua_call(L, 1, 0);
  return 0;
}

/* What the reference says of o->topic. */
static int print_topic (const Options *o) {
  lua_State *L = program_open(luaopen_luasync);
  if (!L) {
    call_say(o->program, "cannot create state: not enough memory");
    return EXIT_FAILURE;
  }
  lua_pushcfunction(L, help_chunk);
  lua_pushlightuserdata(L, (void *)o);
  return program_close(L, call_report(L, lua_pcall(L, 1, 0, 0), o->program) == LUA_OK ? 0 : 1);
}

static int print_help (const Options *o) {
  if (text_write_help(stdout, o)) return EXIT_SUCCESS;
  call_say(o->program, "not enough memory");
  return EXIT_FAILURE;
}

static int run (const Options *o) {
  if (o->help) return o->topic ? print_topic(o) : print_help(o);
  if (o->version) {
    run_print_version();
    return EXIT_SUCCESS;
  }
  if (!trace_can_write(o)) return EXIT_FAILURE;
  if (trace_converts(o)) return trace_convert(o);
  return world_option(o) ? run_in_world(o) : run_real(o);
}

int main (int argc, char **argv) {
  Options options;
  int code = EXIT_FAILURE;
  if (options_parse(&options, argc, argv)) code = run(&options);
  else text_write_help(stderr, &options);
  options_free(&options);
  return code;
}
