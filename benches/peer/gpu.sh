#!/bin/sh
# What is to be measured on an NVIDIA GPU, in one run: agreement, speed, and speed beside PyTorch.
#
#     sh benches/peer/gpu.sh > gpu.txt
#     ECHOIF=echoif TESTS="cuda-0123 cuda_memory-4567" sh benches/peer/gpu.sh > gpu.txt
#
# The first form builds what it runs (the CUDA toolkit and Rust); the second takes programs that were
# built elsewhere: `echoif`, and the tests cuda and cuda_memory. PyTorch with what benches/peer/peer.py
# names is needed in both. An absolute time is worth something only with the GPU's name, which stands in
# the output. 2SCM's goals: a quarter of PyTorch's time, Balanced under a second, 4 GB.
set -u
cd "$(dirname "$0")/../.."
: "${CUDA_COMPUTE_CAP:=80}"
export CUDA_COMPUTE_CAP
if [ -z "${ECHOIF:-}" ]; then
    cargo build --release --features cuda || exit 1
    ECHOIF=target/release/echoif
    TESTS=$(cargo test --release --features cuda --test cuda --test cuda_memory --no-run 2>&1 |
        sed -n 's/.*Executable.*(\(.*\))/\1/p')
fi

nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader
"$ECHOIF" doctor
for test in $TESTS; do
    echo "== $test"
    "$test" --nocapture --test-threads 1
done
for precision in f32 tf32 bf16; do
    echo "== agreement with the recorded fixtures in $precision (the tolerances are those of f32)"
    "$ECHOIF" verify tests/fixtures --device cuda --precision $precision |
        awk '/FAIL|passed/ || / out|out,/'
    echo "== the built-in cascade in $precision"
    "$ECHOIF" bench --device cuda --precision $precision --repeat 10
done
"$ECHOIF" bench --device cpu --repeat 3
for precision in f32 tf32 bf16; do
    echo "== beside PyTorch, $precision"
    python3 benches/peer/peer.py --echoif "$ECHOIF" --device cuda --precision $precision --rounds 5
    for cascade in 1scm 2scm; do
        python3 benches/peer/peer.py --echoif "$ECHOIF" --device cuda --precision $precision \
            --published $cascade --rounds 3
    done
done
