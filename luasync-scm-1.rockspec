-- `luarocks make` builds and installs the module for stock Lua 5.4. The command comes with `make install`.
rockspec_format = "3.0"
package = "luasync"
version = "scm-1"
source = { url = "git+file://." }
description = {
  summary = "Threads for Lua 5.4, with the objects and rules of Python's threading",
  detailed = "A Lua state for each thread; locks, conditions, events, semaphores, queues and shared tables between "
    .. "them; simulated worlds with a virtual clock, in which a run can be repeated.",
  license = "MIT",
}
dependencies = { "lua >= 5.4, < 5.5" }
supported_platforms = { "linux" }
build = {
  type = "make",
  build_target = "rock",
  install_target = "install-rock",
  build_variables = {
    CFLAGS = "$(CFLAGS)",
    LUA = "$(LUA)",
    LUA_CFLAGS = "-I$(LUA_INCDIR)",
  },
  install_variables = {
    INST_LIBDIR = "$(LIBDIR)",
    INST_LUADIR = "$(LUADIR)",
    LUA = "$(LUA)",
    LUA_CFLAGS = "-I$(LUA_INCDIR)",
    CFLAGS = "$(CFLAGS)",
  },
}
