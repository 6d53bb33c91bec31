// The part of CUDA C++ that kernels are written in, for a host compiler: every thread of a block is
// a fiber of one host thread. What a kernel does wrong shows: memory is poisoned before use and
// guarded behind its end, asynchronous copies arrive only when they are waited for, and fibers take
// turns in an order that can be shuffled, so that a missing barrier changes results.
#pragma once
#define EMULATED_CUDA 1

#include <cassert>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>
#include <vector>

using std::isnan;
using std::signbit;

#define __global__
#define __device__
#define __host__
#define __constant__
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)
#define __shared__ static thread_local
#define __align__(n) alignas(n)
#define SHARED_MEMORY(name) unsigned char* name = ::emulated::dynamic_shared()

struct uint3 { unsigned x, y, z; };
struct dim3 { unsigned x = 1, y = 1, z = 1; };
struct float2 { float x, y; };
struct alignas(16) float4 { float x, y, z, w; };
struct uint2 { unsigned x, y; };
struct alignas(16) uint4 { unsigned x, y, z, w; };
struct int2 { int x, y; };
struct alignas(16) int4 { int x, y, z, w; };
inline float2 make_float2(float x, float y) { return {x, y}; }
inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }
inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) { return {x, y, z, w}; }

namespace emulated {

struct Copy { void* to; const void* from; unsigned bytes; bool valid; };

struct Warp;
// One CUDA thread.
struct Thread {
  uint3 index;
  unsigned lane, number, phase = 0;
  Warp* warp;
  std::vector<std::vector<Copy>> committed;
  std::vector<Copy> copies;
};

constexpr unsigned SLOT = 32;
struct Warp {
  // Two sets, so that one barrier an exchange is enough.
  alignas(64) unsigned char slots[2][32][SLOT];
};

extern thread_local Thread* here;
extern thread_local uint3 block_index;
extern thread_local dim3 block_size, grid_size;
unsigned char* dynamic_shared();
void block_barrier();
void warp_barrier();
[[noreturn]] void fail(const char* what);

// Every lane gives a value and sees those of all lanes of its warp.
inline unsigned char (*exchange(const void* mine, unsigned bytes))[SLOT] {
  Thread* me = here;
  auto* slots = me->warp->slots[me->phase++ & 1];
  std::memcpy(slots[me->lane], mine, bytes);
  warp_barrier();
  return slots;
}

template <class T>
T shuffled(T value, unsigned from) {
  static_assert(sizeof(T) <= SLOT, "too wide for a shuffle");
  auto* slots = exchange(&value, sizeof(T));
  T out;
  std::memcpy(&out, slots[from & 31], sizeof(T));
  return out;
}

struct Kernel {
  // The file that it stands in: a module has its own kernels and no others.
  const char* source;
  const char* name;
  void (*run)(void** arguments);
  std::vector<size_t> sizes;
};
void add_kernel(const Kernel&);

template <class... A, size_t... I>
void unpack(void (*kernel)(A...), void** arguments, std::index_sequence<I...>) {
  kernel(*static_cast<std::remove_const_t<A>*>(arguments[I])...);
}
template <auto kernel> struct Entry;
template <class... A, void (*kernel)(A...)> struct Entry<kernel> {
  static void run(void** arguments) { unpack(kernel, arguments, std::index_sequence_for<A...>{}); }
  static std::vector<size_t> sizes() { return {sizeof(A)...}; }
};
template <auto kernel> struct Registered {
  explicit Registered(const char* source, const char* name) {
    add_kernel({source, name, Entry<kernel>::run, Entry<kernel>::sizes()});
  }
};

}  // namespace emulated

#define EMULATED_KERNEL(name) static ::emulated::Registered<name> registered_##name(EMULATED_SOURCE, #name);

#define threadIdx (::emulated::here->index)
#define blockIdx (::emulated::block_index)
#define blockDim (::emulated::block_size)
#define gridDim (::emulated::grid_size)
#define __syncthreads() ::emulated::block_barrier()
#define __syncwarp(...) ::emulated::warp_barrier()
#define __shfl_sync(mask, value, from, ...) ::emulated::shuffled(value, from)
#define __shfl_xor_sync(mask, value, by, ...) ::emulated::shuffled(value, ::emulated::here->lane ^ (by))
#define __shfl_down_sync(mask, value, by, ...) ::emulated::shuffled(value, ::emulated::here->lane + (by))

template <class T> inline T __ldg(const T* at) { return *at; }
inline unsigned __float_as_uint(float x) { unsigned u; std::memcpy(&u, &x, 4); return u; }
inline int __float_as_int(float x) { int u; std::memcpy(&u, &x, 4); return u; }
inline float __uint_as_float(unsigned u) { float x; std::memcpy(&x, &u, 4); return x; }
inline float __int_as_float(int u) { float x; std::memcpy(&x, &u, 4); return x; }
inline long long __double_as_longlong(double x) { long long u; std::memcpy(&u, &x, 8); return u; }
inline double __longlong_as_double(long long u) { double x; std::memcpy(&x, &u, 8); return x; }
inline float __expf(float x) { return std::exp(x); }
inline float __fdividef(float x, float y) { return x / y; }
inline float rsqrtf(float x) { return 1.0f / std::sqrt(x); }
inline float normcdff(float x) { return 0.5f * std::erfc(-x * 0.70710678118654752f); }
inline double normcdf(double x) { return 0.5 * std::erfc(-x * 0.70710678118654752); }
template <class A, class B> inline std::common_type_t<A, B> min(A a, B b) { return b < a ? b : a; }
template <class A, class B> inline std::common_type_t<A, B> max(A a, B b) { return a < b ? b : a; }

template <class T, class V> inline T atomicAdd(T* at, V value) {
  T old, sum;
  __atomic_load(at, &old, __ATOMIC_RELAXED);
  do { sum = old + T(value); } while (!__atomic_compare_exchange(at, &old, &sum, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
  return old;
}
template <class T, class V> inline T atomicMax(T* at, V value) {
  T old, most;
  __atomic_load(at, &old, __ATOMIC_RELAXED);
  do { most = old < T(value) ? T(value) : old; } while (!__atomic_compare_exchange(at, &old, &most, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
  return old;
}
template <class T, class V> inline T atomicMin(T* at, V value) {
  T old, least;
  __atomic_load(at, &old, __ATOMIC_RELAXED);
  do { least = T(value) < old ? T(value) : old; } while (!__atomic_compare_exchange(at, &old, &least, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
  return old;
}
template <class T, class E, class V> inline T atomicCAS(T* at, E expected, V value) {
  T old = T(expected), put = T(value);
  __atomic_compare_exchange(at, &old, &put, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
  return old;
}

// To the nearest, halves to even.
struct __nv_bfloat16 { uint16_t bits; };
inline __nv_bfloat16 __float2bfloat16(float x) {
  unsigned u = __float_as_uint(x);
  if ((u & 0x7fffffff) > 0x7f800000) return {uint16_t(u >> 16 | 0x40)};
  return {uint16_t((u + 0x7fff + (u >> 16 & 1)) >> 16)};
}
inline float __bfloat162float(__nv_bfloat16 x) { return __uint_as_float(unsigned(x.bits) << 16); }

namespace emulated {

// What follows is the tensor cores', by PTX's tables of which lane holds what.

// m16n8k8, operands rounded to tf32 already: whatever is below is ignored.
inline void mma_tf32(float (&c)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
  unsigned mine[6] = {a[0], a[1], a[2], a[3], b[0], b[1]};
  auto* slots = exchange(mine, sizeof mine);
  unsigned lane = here->lane, g = lane / 4, t = lane % 4;
  auto word = [&](unsigned from, unsigned i) {
    unsigned u;
    std::memcpy(&u, slots[from] + 4 * i, 4);
    return double(__uint_as_float(u & 0xffffe000));
  };
  double sum[4] = {c[0], c[1], c[2], c[3]};
  for (unsigned k = 0; k < 8; ++k) {
    double low = word(g * 4 + k % 4, 2 * (k / 4)), high = word(g * 4 + k % 4, 2 * (k / 4) + 1);
    double even = word(2 * t * 4 + k % 4, 4 + k / 4), odd = word((2 * t + 1) * 4 + k % 4, 4 + k / 4);
    sum[0] += low * even, sum[1] += low * odd, sum[2] += high * even, sum[3] += high * odd;
  }
  for (int i = 0; i < 4; ++i) c[i] = float(sum[i]);
}

// m16n8k16.
inline void mma_bf16(float (&c)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
  unsigned mine[6] = {a[0], a[1], a[2], a[3], b[0], b[1]};
  auto* slots = exchange(mine, sizeof mine);
  unsigned lane = here->lane, g = lane / 4, t = lane % 4;
  auto half = [&](unsigned from, unsigned i, unsigned part) {
    unsigned u;
    std::memcpy(&u, slots[from] + 4 * i, 4);
    return double(__uint_as_float(part ? u & 0xffff0000 : u << 16));
  };
  double sum[4] = {c[0], c[1], c[2], c[3]};
  for (unsigned k = 0; k < 16; ++k) {
    unsigned part = k % 2, from = k % 8 / 2, upper = k / 8;
    double low = half(g * 4 + from, 2 * upper, part), high = half(g * 4 + from, 2 * upper + 1, part);
    double even = half(2 * t * 4 + from, 4 + upper, part), odd = half((2 * t + 1) * 4 + from, 4 + upper, part);
    sum[0] += low * even, sum[1] += low * odd, sum[2] += high * even, sum[3] += high * odd;
  }
  for (int i = 0; i < 4; ++i) c[i] = float(sum[i]);
}

// Four 8 x 16 byte matrices; lane 8 i + r names row r of matrix i.
inline void load_matrices(unsigned (&r)[4], const void* row) {
  if (reinterpret_cast<uintptr_t>(row) % 16) fail("a matrix row that is not aligned");
  auto* slots = exchange(&row, sizeof row);
  unsigned lane = here->lane;
  for (unsigned i = 0; i < 4; ++i) {
    const unsigned char* from;
    std::memcpy(&from, slots[8 * i + lane / 4], sizeof from);
    std::memcpy(&r[i], from + 4 * (lane % 4), 4);
  }
}

inline void copy_async(void* to, const void* from, bool valid) {
  if (reinterpret_cast<uintptr_t>(to) % 16 || (valid && reinterpret_cast<uintptr_t>(from) % 16))
    fail("an asynchronous copy that is not aligned");
  here->copies.push_back({to, from, 16, valid});
}
inline void copies_commit() {
  here->committed.push_back(std::move(here->copies));
  here->copies.clear();
}
// Until at most so many groups are under way.
template <int PENDING>
inline void copies_wait() {
  auto& groups = here->committed;
  while (groups.size() > PENDING) {
    for (auto& c : groups.front()) {
      if (c.valid) std::memcpy(c.to, c.from, c.bytes);
      else std::memset(c.to, 0, c.bytes);
    }
    groups.erase(groups.begin());
  }
}

}  // namespace emulated
