#!/bin/sh
# Lists the crates that a package contains, built with CUDA, with their licences, as assets/licences.txt
# holds them: docs/licences.sh > assets/licences.txt
cd "$(dirname "$0")/.."
cargo tree --features cuda --edges normal --prefix none --format '{p}: {l}' |
  sed 's/ (\*)$//; s/ (proc-macro)//; s| (/[^)]*)||' | grep -v '^echoif ' | LC_ALL=C sort -u
