#!/usr/bin/env bash
# Builds the emulated CUDA toolkit into a folder: for tests of the CUDA code where there is no GPU.
#
#     tests/emulated_cuda/build.sh target/emulated_cuda
#     . target/emulated_cuda/env
#     cargo test --features cuda --test cuda
#
# Needs g++. Our kernels and Candle's are compiled for the host; the driver is this folder's, as far as
# it is called. Of the toolkit's other libraries there are names alone, for the linker.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
out=${1:?"usage: build.sh FOLDER"}
rm -rf "$out/objects"
mkdir -p "$out/bin" "$out/lib64" "$out/objects"
out=$(cd "$out" && pwd)

folder_of() {
  cargo metadata --features cuda --format-version 1 --manifest-path "$root/Cargo.toml" --locked |
    python3 -c 'import json, os, sys
for p in json.load(sys.stdin)["packages"]:
    if p["name"] == sys.argv[1]: print(os.path.dirname(p["manifest_path"]))' "$1"
}
candle=$(folder_of candle-kernels)/src
cudarc=$(folder_of cudarc)/src

cxx=${CXX:-g++}
flags=(-std=c++17 -O2 -fPIC -ftls-model=initial-exec -fvisibility=hidden -w)
# Kernels see the emulated language; products of tensor cores are exact in double.
kernel_flags=("${flags[@]}" -ffp-contract=off -I "$here/include" -include "$here/include/emulated.h"
  -D__CUDA_ARCH__=520 -D__CUDACC_VER_MAJOR__=13 -D__CUDACC_VER_MINOR__=0)

# A source of kernels, with each of them entered in the driver's list.
kernels() {
  local source=$1 object=$2
  {
    echo "#include \"$source\""
    "$cxx" "${kernel_flags[@]}" -I "$(dirname "$source")" -E -P -x c++ "$source" |
      tr '\n' ' ' | grep -o 'extern "C" *void *[A-Za-z0-9_]* *(' | sed 's/.*void *\([A-Za-z0-9_]*\).*/EMULATED_KERNEL(\1)/' | sort -u
  } >"$object.cpp"
  "$cxx" "${kernel_flags[@]}" -DEMULATED_SOURCE="\"$(basename "$source")\"" -I "$(dirname "$source")" -c "$object.cpp" -o "$object"
}

jobs=()
build() { "$@" & jobs+=($!); if [ ${#jobs[@]} -ge "$(nproc)" ]; then wait "${jobs[0]}"; jobs=("${jobs[@]:1}"); fi; }
objects=()
for name in affine binary cast conv fill indexing reduce ternary unary; do
  objects+=("$out/objects/candle_$name.o")
  build kernels "$candle/$name.cu" "$out/objects/candle_$name.o"
done
for source in "$root"/src/nn/cuda/kernels/*.cu; do
  [ -e "$source" ] || continue
  object="$out/objects/$(basename "$source" .cu).o"
  objects+=("$object")
  build kernels "$source" "$object"
done
for name in blocks driver; do
  objects+=("$out/objects/$name.o")
  build "$cxx" "${flags[@]}" -I "$here/include" -c "$here/$name.cpp" -o "$out/objects/$name.o"
done
for job in "${jobs[@]}"; do wait "$job"; done

# Kernels are found by their names alone here.
twice=$(cat "$out"/objects/*.o.cpp | grep EMULATED_KERNEL | sort | uniq -d)
[ -z "$twice" ] || { echo "Two kernels of one name: $twice" >&2; exit 1; }

# Functions that are linked and never called stop the program if they are.
grep -rhoE 'pub unsafe fn (cu|cublas|cublasLt|curand|nvrtc)[A-Z][A-Za-z0-9_]*' "$cudarc/driver/sys" "$cudarc/cublas/sys" \
  "$cudarc/cublaslt/sys" "$cudarc/curand/sys" "$cudarc/nvrtc/sys" | sed 's/pub unsafe fn //' | sort -u >"$out/objects/names"
nm -g --defined-only "${objects[@]}" | awk 'NF == 3 { print $3 }' | sort -u >"$out/objects/there"
{
  echo '#include <cstdio>'
  echo '#include <cstdlib>'
  comm -23 "$out/objects/names" "$out/objects/there" | while read -r name; do
    echo "extern \"C\" __attribute__((visibility(\"default\"))) int $name() { std::fprintf(stderr, \"emulated CUDA: $name is not there\\n\"); std::abort(); }"
  done
} >"$out/objects/missing.cpp"
"$cxx" "${flags[@]}" -c "$out/objects/missing.cpp" -o "$out/objects/missing.o"

"$cxx" -shared -o "$out/lib64/libcuda.so" -Wl,-soname,libemulated_cuda.so -Wl,--no-undefined,--allow-multiple-definition \
  "${objects[@]}" "$out/objects/missing.o" -lpthread
ln -sf libcuda.so "$out/lib64/libcuda.so.1"
for name in emulated_cuda cublas cublasLt curand nvrtc cudart; do ln -sf libcuda.so "$out/lib64/lib$name.so"; done
cp "$here/nvcc" "$out/bin/nvcc"
# What kernels share lies in memory of threads, which a library that is loaded late has little of by itself.
cat >"$out/env" <<END
export GLIBC_TUNABLES=glibc.rtld.optional_static_tls=1048576
export EMULATED_CUDA=1 CUDA_HOME="$out" CUDA_COMPUTE_CAP=80 CUDARC_CUDA_VERSION=13000
export PATH="$out/bin:\$PATH" LD_LIBRARY_PATH="$out/lib64\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH}"
export LIBRARY_PATH="$out/lib64\${LIBRARY_PATH:+:\$LIBRARY_PATH}"
END
echo "The emulated toolkit is in $out; \`. $out/env\` selects it."
