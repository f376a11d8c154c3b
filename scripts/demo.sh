#!/bin/sh
# Plays every tutorial program, one after the other, each under a headline.
#
# usage: scripts/demo.sh [LUASYNC]
#
# The programs sleep as their originals do. With a virtual clock waiting costs
# nothing; without one LUASYNC_SLEEP_SCALE shortens every sleep and timeout.
set -u

cd "$(dirname "$0")/.." || exit 1
luasync=${1:-build/luasync}
case $luasync in */*) ;; *) luasync=./$luasync ;; esac
limit=${DEMO_LIMIT:-60} # seconds for one program

# The one place that decides how the programs are made quick.
if "$luasync" --virtual -e '' >/dev/null 2>&1; then
  play() { timeout "$limit" "$luasync" --virtual "$1" </dev/null; }
else
  play() { LUASYNC_SLEEP_SCALE=0.05 timeout "$limit" "$luasync" "$1" </dev/null; }
fi

bold="" plain=""
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
  bold=$(printf '\033[1m') plain=$(printf '\033[0m')
fi

played=0
failed=""
for script in scripts/tutorial/*.lua; do
  [ -e "$script" ] || { echo "demo: no programs in scripts/tutorial" >&2; exit 1; }
  name=$(basename "$script" .lua)
  printf '\n%s=== %s ===%s\n' "$bold" "$(echo "$name" | tr _ ' ')" "$plain"
  play "$script"
  code=$?
  played=$((played + 1))
  if [ $code -ne 0 ]; then
    [ $code -eq 124 ] && echo "demo: still running after $limit seconds" >&2
    echo "demo: $script ended with exit code $code" >&2
    failed="$failed $name"
  fi
done

echo
if [ -n "$failed" ]; then
  echo "demo: $played programs played; failed:$failed"
  exit 1
fi
echo "demo: $played programs played"
echo "demo: now the puzzles: $luasync --explore scripts/puzzles/01_rendezvous.lua (scripts/puzzles/README.md)"
