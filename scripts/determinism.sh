#!/bin/sh
# determinism.sh [SEEDS [HOST]]: the same seed gives the same bytes.
#
# Runs every tutorial and example under SEEDS seeds (default 5), each twice, in
# two processes with different environments and folders, and compares what they
# write and their exit codes byte for byte. A run that fails is repeated from the
# replay line it prints. Then ten random worlds for each seed, started by a program
# in the real world, whose hash seeds and addresses no two processes share. Exit
# code 1 where anything differs.
set -u
seeds=${1:-5}
root=$(cd "$(dirname "$0")/.." && pwd)
host=${2:-$root/build/luasync}
case $host in /*) ;; *) host=$PWD/$host ;; esac
[ -x "$host" ] || { echo "determinism: no command at $host" >&2; exit 1; }
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' INT TERM
mkdir "$folder/elsewhere"
runs=0 different=0 replays=0 failing=0

# run NAME ENVIRONMENT FOLDER ARGUMENTS...: output and exit code into $folder/NAME
run() {
  name=$1 environment=$2 where=$3
  shift 3
  (cd "$where" && env "$environment" "$host" "$@") >"$folder/$name.out" 2>"$folder/$name.err" </dev/null
  echo $? >"$folder/$name.code"
}

# same TWO ONE TITLE: compares the outputs of two runs
same() {
  for part in out err code; do
    cmp -s "$folder/$1.$part" "$folder/$2.$part" && continue
    different=$((different + 1))
    echo "DIFFERENT $part: $3"
    diff "$folder/$1.$part" "$folder/$2.$part" | head -5
    return
  done
}

# The replay of the last run; its schedule stands between the first two quotes of its replay line.
replay() {
  schedule=$(sed -n 's/^replay: .*--replay "\([^"]*\)".*/\1/p' "$folder/a.err")
  [ -n "$schedule" ] || return
  replays=$((replays + 1))
  run c SECOND=1 "$root" --replay "$schedule" "$1"
  same a c "replay of --seed $2 $1"
}

for script in "$root"/scripts/tutorial/*.lua "$root"/scripts/examples/*.lua; do
  seed=1
  while [ "$seed" -le "$seeds" ]; do
    run a FIRST=1 "$root" --seed "$seed" "$script"
    run b "SECOND=$(printf '%0*d' $((seed * 97)) 0)" "$folder/elsewhere" --seed "$seed" "$script"
    runs=$((runs + 1))
    same a b "--seed $seed $script"
    [ "$(cat "$folder/a.code")" = 0 ] || { failing=$((failing + 1)); replay "$script" "$seed"; }
    seed=$((seed + 1))
  done
done
# Where the number of threads differs, so do the places of their memory.
LUA_PATH="$root/lua/?.lua;;"
export LUA_PATH
for threads in 1 2 3; do
  last=$((seeds * 10))
  set -- "$root/scripts/fuzz/digests.lua" 1 "$last" 100 "$threads"
  run a FIRST=1 "$root" "$@"
  for part in 1 2 3; do
    run b "SECOND=$(printf '%0*d' $((part * 1777)) 0)" "$root" "$@"
    runs=$((runs + 1))
    same a b "$last worlds of $threads threads"
  done
done
echo "$runs double runs, $failing failing, $replays replayed, $different different"
[ "$different" = 0 ] && [ "$runs" -gt 0 ]
