#!/usr/bin/env bash
# What it costs to play three cines where the renderer is software: a window of 1280 x 800 in Xvfb with a clip of the
# program's own (112 x 112), the factual and the counterfactual cine of it.
#
#   benches/playing.sh PROGRAM...      each in turn, twice
#
# Prints the process's CPU time as a share of one core over 8 s, and from another 8 s how many pictures of the window
# were handed to the X server, with the longest time between two. Needs Xvfb, xdotool, and strace that may attach to
# what it did not start.
set -euo pipefail
: "${1:?usage: benches/playing.sh PROGRAM...}"
clip=$(realpath "$(dirname "$0")/../assets/a4c_1.gif")

home=$(mktemp -d)
of=
Xvfb -displayfd 3 -screen 0 1400x900x24 3>"$home/display" 2>/dev/null &
xvfb=$!
trap 'kill $xvfb $of 2>/dev/null || true; rm -rf "$home"' EXIT
until [ -s "$home/display" ]; do kill -0 $xvfb; sleep 0.1; done
DISPLAY=:$(cat "$home/display")
export DISPLAY XDG_RUNTIME_DIR="$home"
unset WAYLAND_DISPLAY WAYLAND_SOCKET

ticks() { awk '{ print $14 + $15 }' "/proc/$1/stat"; }

# Pictures are what is longer than any other message; what is written within 15 ms is one of them. With few of them
# nothing plays, and the share says nothing.
pictures() {
  rm -f "$home/calls"
  timeout 8 strace -f -ttt -e trace=writev,sendmsg -p "$1" -o "$home/calls" 2>"$home/strace" || true
  [ -s "$home/calls" ] || { cat "$home/strace" >&2; return 1; }
  awk '$NF + 0 > 100000 {
      if ($2 - last > 0.015) {
        if (n++) { gap = $2 - begun; if (gap > most) most = gap } else first = $2
        begun = $2
      }
      last = $2
    }
    END {
      if (n < 50) { print "nothing plays"; exit 1 }
      printf "%d pictures, %.2f a second, %.0f ms between two at most\n", n, (n - 1) / (begun - first), 1000 * most
    }' "$home/calls"
}

for round in 1 2; do
  for program; do
    rm -rf "$home/data"
    XDG_DATA_HOME=$home/data XDG_CONFIG_HOME=$home/data "$program" "$clip" >/dev/null 2>&1 &
    of=$!
    window=$(timeout 60 xdotool search --sync --onlyvisible --pid $of | tail -1)
    xdotool windowfocus --sync "$window" mousemove 640 590
    # The greeting closes by Enter; then the cines are made.
    sleep 3
    xdotool key Return
    sleep 15
    before=$(ticks $of)
    sleep 8
    after=$(ticks $of)
    printf '%s: %d %% of a core; ' "$program" $(((after - before) * 100 / 8 / $(getconf CLK_TCK)))
    pictures $of
    kill $of
    wait $of 2>/dev/null || true
  done
done
