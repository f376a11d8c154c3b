#!/bin/sh
# Installs the Debian packages that are missing for one purpose, and does
# nothing when all are there.
#
# usage: scripts/setup.sh [build|test|valgrind|all]
set -eu

purpose=${1:-all}

# A package, or package=command where any package with that command will do.
cc=${CC:-gcc}
build_packages="gcc=${cc%% *} libc6-dev pkg-config=pkg-config lua5.4=lua5.4 liblua5.4-dev libedit-dev"
test_packages="$build_packages lua-busted=busted lua-check=luacheck cppcheck=cppcheck clang-format=clang-format tmux=tmux
  lua-filesystem lua-system lua-term lua-penlight lua-dkjson lua-cjson lua-lpeg"
valgrind_packages="$test_packages valgrind=valgrind"
# Wanted for tests, but not needed: without it specs of the timeline page are skipped.
test_extras="chromium=chromium"

extras=""
case $purpose in
  build) wanted=$build_packages ;;
  test) wanted=$test_packages extras=$test_extras ;;
  valgrind) wanted=$valgrind_packages ;;
  all) wanted=$valgrind_packages extras=$test_extras ;;
  *) echo "setup.sh: unknown purpose '$purpose' (build, test, valgrind or all)" >&2; exit 1 ;;
esac

is_installed() {
  case $1 in
    *=*) command -v "${1#*=}" >/dev/null 2>&1 ;;
    *) case " $installed " in *" $1 "*) true ;; *) false ;; esac ;;
  esac
}

# One query for all of them keeps the usual run, where nothing is missing, quick.
query_installed() {
  # shellcheck disable=SC2086
  dpkg-query -W -f '${Package} ${db:Status-Status}\n' $(printf '%s\n' $wanted | grep -v =) 2>/dev/null |
    awk '$2 == "installed" { printf "%s ", $1 }'
}

have_dpkg=true
command -v dpkg-query >/dev/null 2>&1 || have_dpkg=false
installed=""
if $have_dpkg; then installed=$(query_installed || true); fi

# The packages among the arguments that are not there.
list_missing() {
  for entry in "$@"; do
    case $entry in *=*) ;; *) if ! $have_dpkg; then continue; fi ;; esac
    is_installed "$entry" || printf ' %s' "${entry%%=*}"
  done
}
# shellcheck disable=SC2086
missing=$(list_missing $wanted) more=$(list_missing $extras)
[ -n "$missing$more" ] || exit 0

# What is only wanted stops nothing.
give_up() {
  echo "setup.sh: $1" >&2
  [ -z "$missing" ] && exit 0
  exit 1
}
command -v apt-get >/dev/null 2>&1 || give_up "please install (named as on Debian):$missing$more"

as_root=""
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null 2>&1 || give_up "as root, run: apt-get install$missing$more"
  as_root=sudo
fi

echo "installing${as_root:+ through sudo}:$missing$more"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
quietly() {
  # shellcheck disable=SC2086
  if ! $as_root env DEBIAN_FRONTEND=noninteractive "$@" >"$log" 2>&1 </dev/null; then
    cat "$log" >&2
    echo "setup.sh: '$*' failed" >&2
    return 1
  fi
}
quietly apt-get update || echo "setup.sh: going on with the package lists that are there" >&2
# shellcheck disable=SC2086
[ -z "$missing" ] || quietly apt-get install -y --no-install-recommends $missing
# shellcheck disable=SC2086
[ -z "$more" ] || quietly apt-get install -y --no-install-recommends $more ||
  echo "setup.sh: going on without$more" >&2
