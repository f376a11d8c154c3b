#!/bin/sh
# Runs the specs on a Lua that checks how it is used.
#
# usage: scripts/apicheck.sh [MAKE-TARGET] [VARIABLE=VALUE...]    (default: spec-host)
#
# A sanitized host over the system's Lua hides what it does wrong on Lua's own
# stack: there AddressSanitizer sees one block of memory in use. So Lua is built
# here from Debian's source package, sanitized too, with the checks of its C
# interface (LUA_USE_APICHECK), its own asserts, and a stack that moves whenever
# it may (HARDSTACKTESTS), which shows pointers kept for too long. That takes most
# of the time: LUA_STACK_MOVES=N in the environment moves it every Nth time, as
# the fuzzer asks for.
#
# All of it lies in build/apicheck. The package lists are private: the machine's
# own sources, read as sources of source packages; nothing is installed.
set -eu
cd "$(dirname "$0")/.."
root=$PWD/build/apicheck
apt=$root/apt
target=${1:-spec-host}
[ $# -eq 0 ] || shift

# The machine's apt sources of both formats with `deb` made `deb-src`.
write_sources() {
  mkdir -p "$apt/sources.list.d" "$apt/lists/partial" "$apt/cache/archives/partial"
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
    [ -f "$file" ] || continue
    sed -n -e '/^Types:/ { s/:.*/: deb-src/; p; b }' -e 's/^deb /deb-src /p; t' -e '/^deb-src /!p' \
      "$file" >"$apt/sources.list.d/$(basename "$file")"
  done
}

private_apt_get() {
  apt-get -qq -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$apt/sources.list.d" \
    -o Dir::State::Lists="$apt/lists" -o Dir::Cache="$apt/cache" -o APT::Sandbox::User=root "$@"
}

# The version that is installed, or what there is, into build/apicheck/lua.
fetch() {
  write_sources
  private_apt_get update
  version=$(dpkg-query -W -f '${source:Version}' liblua5.4-dev 2>/dev/null || true)
  rm -rf "$root/fetched" && mkdir "$root/fetched"
  (
    cd "$root/fetched"
    { [ -n "$version" ] && private_apt_get source "lua5.4=$version"; } || private_apt_get source lua5.4
  )
  rm -rf "$root/lua" && mv "$root"/fetched/lua5.4-*/ "$root/lua"
}

# What decides whether the stack moves; each source of Lua begins with it.
write_stack_moves() {
  cat >stack_moves.h <<'END'
#include <stdlib.h>
static __attribute__((unused)) int stack_moves(void) {
  static __thread unsigned every, met;
  if (every == 0) {
    const char *asked = getenv("LUA_STACK_MOVES");
    every = asked != NULL && atoi(asked) > 1 ? (unsigned)atoi(asked) : 1;
  }
  return ++met % every == 0;
}
END
  grep -q stack_moves llimits.h || sed -i 's/luaD_reallocstack((L), sz_, 0); pos;/if (stack_moves()) &/' llimits.h
  grep -q stack_moves llimits.h
}

# Lua's own build in one call; the Makefile links what stands in liblua5.4.a.
build_lua() {
  (
    cd "$root/lua/src"
    write_stack_moves
    rm -f ./*.o liblua5.4.a
    for file in *.c; do
      case $file in lua.c | luac.c) ;; *) echo "$file" ;; esac
    done | xargs ${CC:-gcc} -c -std=gnu99 -g -O1 -fno-omit-frame-pointer -fno-pie -fsanitize=address \
      -include stack_moves.h -DLUA_COMPAT_5_3 -DLUA_USE_LINUX -DLUA_USE_APICHECK -DLUAI_ASSERT -DHARDSTACKTESTS
    ar rcs liblua5.4.a ./*.o
  )
}

mkdir -p "$root"
[ -d "$root/lua" ] || fetch
[ "$root/lua/src/liblua5.4.a" -nt "$0" ] || build_lua
exec "${MAKE:-make}" "$target" SANITIZE=address BUILD=build/apicheck \
  LUA_CFLAGS="-I$root/lua/src" LUA_STATIC="$root/lua/src/liblua5.4.a" "$@"
