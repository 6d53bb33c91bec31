#!/bin/sh
# What is to be measured on an NVIDIA GPU, in one run: agreement, speed, and speed beside PyTorch.
#
#     sh benches/peer/gpu.sh > gpu.txt
#
# Needs the CUDA toolkit, Rust, and PyTorch with what benches/peer/peer.py names. An absolute time is
# worth something only with the GPU's name, which stands in the output.
set -eu
cd "$(dirname "$0")/../.."
: "${CUDA_COMPUTE_CAP:=80}"
export CUDA_COMPUTE_CAP
FEATURES=${FEATURES:-cuda,cudnn}
cargo build --release --features "$FEATURES"
E=target/release/echoif

nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader
"$E" doctor
echo "== agreement with the recorded fixtures"
"$E" verify tests/fixtures --device cuda || echo "verify says that something differs"
echo "== the built-in cascade"
"$E" bench --device cuda --repeat 10
"$E" bench --device cpu --repeat 3
echo "== beside PyTorch"
python3 benches/peer/peer.py --echoif "$E" --device cuda --rounds 5
for cascade in 1scm 2scm; do
    python3 benches/peer/peer.py --echoif "$E" --device cuda --published "$cascade" --rounds 3 --bf16
done
