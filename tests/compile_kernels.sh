#!/usr/bin/env bash
# Compiles the CUDA kernels with NVIDIA's compiler, for two generations of GPUs, and shows what each
# takes of registers. Needs no GPU and no toolkit: the compiler comes from PyPI, into target/nvcc.
set -euo pipefail
cd "$(dirname "$0")/.."
home=target/nvcc/nvidia/cu13
if [ ! -x "$home/bin/nvcc" ]; then
  rm -rf target/nvcc && mkdir -p target/nvcc/wheels
  python3 -m pip download --quiet --no-deps --dest target/nvcc/wheels \
    nvidia-cuda-nvcc==13.0.88 nvidia-cuda-crt==13.0.88 nvidia-nvvm==13.0.88 \
    nvidia-cuda-runtime==13.0.96 nvidia-cuda-cccl==13.0.85
  for wheel in target/nvcc/wheels/*.whl; do python3 -m zipfile -e "$wheel" target/nvcc; done
  rm -rf target/nvcc/wheels
  chmod +x "$home"/bin/* "$home"/nvvm/bin/*
fi
for source in src/nn/cuda/kernels/*.cu; do
  for arch in sm_80 sm_90; do
    # What the build asks for, and a warning is an error.
    "$home/bin/nvcc" -std=c++17 -O3 -arch=$arch -cubin -Werror all-warnings -Xptxas -v \
      "$source" -o target/nvcc/kernel.cubin 2>&1 |
      awk -v arch=$arch '/Compiling entry/ { split($0, name, "\x27") }
        /stack frame/ { spilled = $5 }
        /Used/ { for (i = 1; i <= NF; ++i) if ($i == "Used") printf "%s %-28s %3d registers, %d bytes spilled\n", arch, name[2], $(i + 1), spilled }
        /error|warning/ { print }'
  done
done
