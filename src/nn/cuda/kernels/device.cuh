// What the kernels share: the hardware's instructions, and what an element and a product are.
//
// Tensors are channels-last, [batch, frame, height, width, channel]; a row is the channels of one
// position. `Math` says how values are stored and multiplied:
//
//   F32   stored in f32; a product is three of tf32, which is as near as f32's own
//   Tf32  stored in f32, multiplied in tf32 (11 bits of each factor)
//   Bf16  stored and multiplied in bfloat16 (8 bits)
//
// Sums are in f32 in all of them. Compiled for the host by tests/emulated_cuda as well, which brings
// its own `hardware`.
#pragma once

#ifdef EMULATED_CUDA
namespace hardware = emulated;
#else
#include <cuda_bf16.h>
#define SHARED_MEMORY(name) extern __shared__ __align__(16) unsigned char name[]

namespace hardware {

__device__ __forceinline__ unsigned shared_address(const void* at) {
  return static_cast<unsigned>(__cvta_generic_to_shared(at));
}

// c += a b of tf32: 16 x 8 by 8 x 8. Lane 4 g + t holds a(g, t), a(g + 8, t), a(g, t + 4),
// a(g + 8, t + 4); b(t, g), b(t + 4, g); c(g, 2 t), c(g, 2 t + 1) and the same of row g + 8.
__device__ __forceinline__ void mma_tf32(float (&c)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
  asm volatile(
      "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

// The same of bfloat16, 16 x 16 by 16 x 8: each word holds two neighbours along k.
__device__ __forceinline__ void mma_bf16(float (&c)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

// Four matrices of 8 rows of 16 bytes in shared memory; lane 8 i + r names row r of matrix i, and
// lane 4 r + w gets word w of row r of each.
__device__ __forceinline__ void load_matrices(unsigned (&r)[4], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(shared_address(row)));
}

// 16 bytes into shared memory, zeros where `valid` is false; there after the wait for its group.
__device__ __forceinline__ void copy_async(void* to, const void* from, bool valid) {
  int bytes = valid ? 16 : 0;
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(to)), "l"(from), "r"(bytes));
}
__device__ __forceinline__ void copies_commit() { asm volatile("cp.async.commit_group;"); }
template <int PENDING>
__device__ __forceinline__ void copies_wait() {
  asm volatile("cp.async.wait_group %0;" ::"n"(PENDING));
}

}  // namespace hardware
#endif

// Bytes along k of one product of matrices, and of the unit that is copied.
constexpr int STEP = 32;
constexpr int UNIT = 16;

__device__ __forceinline__ float load(const float* at) { return *at; }
__device__ __forceinline__ float load(const __nv_bfloat16* at) { return __bfloat162float(*at); }
__device__ __forceinline__ void store(float* at, float value) { *at = value; }
__device__ __forceinline__ void store(__nv_bfloat16* at, float value) { *at = __float2bfloat16(value); }

__device__ __forceinline__ unsigned pair(float low, float high) {
#ifdef EMULATED_CUDA
  return __float2bfloat16(low).bits | unsigned(__float2bfloat16(high).bits) << 16;
#else
  __nv_bfloat162 both = __floats2bfloat162_rn(low, high);
  return *reinterpret_cast<unsigned*>(&both);
#endif
}

// A unit of elements, at an address that is a multiple of 16.
__device__ __forceinline__ void load_unit(float (&v)[4], const float* at) {
  float4 x = *reinterpret_cast<const float4*>(at);
  v[0] = x.x, v[1] = x.y, v[2] = x.z, v[3] = x.w;
}
__device__ __forceinline__ void load_unit(float (&v)[8], const __nv_bfloat16* at) {
  uint4 x = *reinterpret_cast<const uint4*>(at);
  unsigned words[4] = {x.x, x.y, x.z, x.w};
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    v[2 * i] = __uint_as_float(words[i] << 16);
    v[2 * i + 1] = __uint_as_float(words[i] & 0xffff0000u);
  }
}
__device__ __forceinline__ void store_unit(float* at, const float* v) {
  *reinterpret_cast<float4*>(at) = make_float4(v[0], v[1], v[2], v[3]);
}
__device__ __forceinline__ void store_unit(__nv_bfloat16* at, const float* v) {
  *reinterpret_cast<uint4*>(at) = make_uint4(pair(v[0], v[1]), pair(v[2], v[3]), pair(v[4], v[5]), pair(v[6], v[7]));
}

// Rounded to tf32's eleven bits, halves away from zero.
__device__ __forceinline__ unsigned to_tf32(unsigned word) {
#ifdef EMULATED_CUDA
  return (word + 0x1000u) & 0xffffe000u;
#else
  unsigned out;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(out) : "f"(__uint_as_float(word)));
  return out;
#endif
}

__device__ __forceinline__ float silu(float x) { return x / (1.0f + __expf(-x)); }
__device__ __forceinline__ float sigmoid(float x) { return 1.0f / (1.0f + __expf(-x)); }

// An operand of a product as it was loaded, and as it is multiplied: F32 has a second part, what tf32
// leaves of each value.
template <int PARTS, int N>
struct Operand {
  unsigned part[PARTS][N];
};

struct F32 {
  using T = float;
  static constexpr int PARTS = 2;
  template <int N>
  static __device__ __forceinline__ Operand<2, N> operand(const unsigned (&word)[N]) {
    Operand<2, N> out;
#pragma unroll
    for (int i = 0; i < N; ++i) {
      out.part[0][i] = to_tf32(word[i]);
      float rest = __uint_as_float(word[i]) - __uint_as_float(out.part[0][i]);
      out.part[1][i] = to_tf32(__float_as_uint(rest));
    }
    return out;
  }
  // The small terms first.
  static __device__ __forceinline__ void add_product(float (&c)[4], const Operand<2, 4>& a, const Operand<2, 2>& b) {
    hardware::mma_tf32(c, a.part[1], b.part[0]);
    hardware::mma_tf32(c, a.part[0], b.part[1]);
    hardware::mma_tf32(c, a.part[0], b.part[0]);
  }
};

struct Tf32 {
  using T = float;
  static constexpr int PARTS = 1;
  template <int N>
  static __device__ __forceinline__ Operand<1, N> operand(const unsigned (&word)[N]) {
    Operand<1, N> out;
#pragma unroll
    for (int i = 0; i < N; ++i) out.part[0][i] = to_tf32(word[i]);
    return out;
  }
  static __device__ __forceinline__ void add_product(float (&c)[4], const Operand<1, 4>& a, const Operand<1, 2>& b) {
    hardware::mma_tf32(c, a.part[0], b.part[0]);
  }
};

struct Bf16 {
  using T = __nv_bfloat16;
  static constexpr int PARTS = 1;
  template <int N>
  static __device__ __forceinline__ Operand<1, N> operand(const unsigned (&word)[N]) {
    Operand<1, N> out;
#pragma unroll
    for (int i = 0; i < N; ++i) out.part[0][i] = word[i];
    return out;
  }
  static __device__ __forceinline__ void add_product(float (&c)[4], const Operand<1, 4>& a, const Operand<1, 2>& b) {
    hardware::mma_bf16(c, a.part[0], b.part[0]);
  }
};

// A product's result as the left operand of the next one. `columns` are the results of the 8-column
// tiles that make one step along k: one of them for f32, two for bfloat16. In f32 column 2 t of the
// result is taken as place t of the step and column 2 t + 1 as place t + 4; the right operand has to be
// ordered alike (`place`).
__device__ __forceinline__ Operand<2, 4> chained(F32, const float (*columns)[4]) {
  const float* c = columns[0];
  unsigned word[4] = {__float_as_uint(c[0]), __float_as_uint(c[2]), __float_as_uint(c[1]), __float_as_uint(c[3])};
  return F32::operand(word);
}
__device__ __forceinline__ Operand<1, 4> chained(Tf32, const float (*columns)[4]) {
  const float* c = columns[0];
  unsigned word[4] = {__float_as_uint(c[0]), __float_as_uint(c[2]), __float_as_uint(c[1]), __float_as_uint(c[3])};
  return Tf32::operand(word);
}
__device__ __forceinline__ Operand<1, 4> chained(Bf16, const float (*columns)[4]) {
  unsigned word[4] = {pair(columns[0][0], columns[0][1]), pair(columns[0][2], columns[0][3]),
                      pair(columns[1][0], columns[1][1]), pair(columns[1][2], columns[1][3])};
  return Bf16::operand(word);
}

// Where term k of a sum stands in the right operand of a chained product.
template <class T>
__device__ __forceinline__ int place(int k) {
  if (sizeof(T) == 2) return k;
  return (k & ~7) | ((k & 1) << 2) | ((k & 7) >> 1);
}
