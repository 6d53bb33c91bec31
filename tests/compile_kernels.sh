#!/usr/bin/env bash
# Compiles the CUDA kernels with NVIDIA's compiler, for two generations of GPUs, and shows what each
# takes of registers. Needs no GPU and no toolkit: docs/cuda_toolkit.sh brings the compiler.
set -euo pipefail
cd "$(dirname "$0")/.."
docs/cuda_toolkit.sh target/nvcc
. target/nvcc/env

compile() {
  local source=$1 arch=$2
  # What the build asks for, and a warning is an error.
  nvcc -std=c++17 -O3 -arch="$arch" -cubin -Werror all-warnings -Xptxas -v \
    "$source" -o "target/nvcc/$(basename "$source" .cu).$arch.cubin" 2>&1 |
    awk -v arch="$arch" '/Compiling entry/ { split($0, name, "\x27") }
      /stack frame/ { spilled = $5 }
      /Used/ { for (i = 1; i <= NF; ++i) if ($i == "Used") printf "%s %-28s %3d registers, %d bytes spilled\n", arch, name[2], $(i + 1), spilled }
      /error|warning/ { print }'
}
export -f compile
# On every core; the first that fails stops it.
for source in src/nn/cuda/kernels/*.cu; do
  for arch in sm_80 sm_90; do printf '%s\0%s\0' "$source" "$arch"; done
done | xargs -0 -n 2 -P "$(nproc)" bash -euo pipefail -c 'compile "$@"' compile
