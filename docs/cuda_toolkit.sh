#!/usr/bin/env bash
# Brings NVIDIA's compiler from PyPI into a folder: enough to build with CUDA, without a GPU or a toolkit.
#
#     docs/cuda_toolkit.sh target/nvcc
#     . target/nvcc/env
#     cargo build --release --features cuda
#
# Of the toolkit's libraries there are names alone, for the linker: what is called of them the program
# finds when it runs (src/engine/driver.rs). Candle's library of kernels for quantised networks, which takes
# longer to compile than everything else and of which nothing is called, is left empty. What is called after
# all, of either, fails to link here.
set -euo pipefail
out=${1:?"usage: cuda_toolkit.sh FOLDER"}
home=$out/nvidia/cu13
if [ ! -e "$out/complete" ]; then
  rm -rf "$out" && mkdir -p "$out/wheels"
  python3 -m pip download --quiet --no-deps --dest "$out/wheels" \
    nvidia-cuda-nvcc==13.0.88 nvidia-cuda-crt==13.0.88 nvidia-nvvm==13.0.88 \
    nvidia-cuda-runtime==13.0.96 nvidia-cuda-cccl==13.0.85
  for wheel in "$out"/wheels/*.whl; do python3 -m zipfile -e "$wheel" "$out"; done
  rm -rf "$out/wheels"
  chmod +x "$home"/bin/* "$home"/nvvm/bin/*
  mkdir "$out/names"
  for name in cuda cublas cublasLt curand nvrtc cudart; do
    "${CC:-cc}" -shared -nostdlib -o "$out/names/lib$name.so" -x c /dev/null
  done
  touch "$out/complete"
fi
out=$(cd "$out" && pwd)
mkdir -p "$out/bin"
cat >"$out/bin/nvcc" <<END
#!/usr/bin/env bash
# Objects are asked for by that library alone; kernels that are called are asked for as PTX.
case " \$* " in *" -c "*)
  while [ "\$1" != -o ]; do shift; done
  exec "\${CC:-cc}" -x c -c -o "\$2" /dev/null ;;
esac
exec "$out/nvidia/cu13/bin/nvcc" "\$@"
END
chmod +x "$out/bin/nvcc"
# PTX for compute capability 8.0 (Ampere, 2020), which every newer GPU's driver compiles for itself.
cat >"$out/env" <<END
export CUDA_HOME="$out/nvidia/cu13" CUDA_COMPUTE_CAP="\${CUDA_COMPUTE_CAP:-80}" CUDARC_CUDA_VERSION=13000
export PATH="$out/bin:\$PATH" LIBRARY_PATH="$out/names\${LIBRARY_PATH:+:\$LIBRARY_PATH}"
END
