// Dynamic threshold (Imagen, section 2.3) without a copy to the host: the order statistic of |x| is found
// by its bits, eleven at a time, in counts that are summed over the device.

#include "device.cuh"

constexpr int THREADS = 256;
constexpr int BINS = 2048;
constexpr int PASSES = 3;

// What is known of a sample's order statistic: the upper bits, its rank among the values that share them,
// and in the end its bits and those of its successor.
struct State {
  unsigned prefix, rank, value, next;
};

__device__ __forceinline__ int shift_of(int pass) { return pass == 0 ? 20 : pass == 1 ? 9 : 0; }
__device__ __forceinline__ int bits_of(int pass) { return pass == 2 ? 9 : 11; }

extern "C" __global__ void __launch_bounds__(THREADS)
    threshold_begin(State* state, unsigned* counts, unsigned rank) {
  if (threadIdx.x == 0) state[blockIdx.x] = {0u, rank, 0u, 0xffffffffu};
  for (int i = threadIdx.x; i < BINS; i += THREADS) counts[blockIdx.x * BINS + i] = 0;
}

// How many values that share the prefix have each of the next bits.
extern "C" __global__ void __launch_bounds__(THREADS)
    threshold_count(const float* x, const State* state, unsigned* counts, int n, int pass) {
  __shared__ unsigned own[BINS];
  for (int i = threadIdx.x; i < BINS; i += THREADS) own[i] = 0;
  __syncthreads();
  const int shift = shift_of(pass), bits = bits_of(pass);
  const unsigned prefix = state[blockIdx.y].prefix;
  x += static_cast<long long>(blockIdx.y) * n;
  for (int i = blockIdx.x * THREADS + threadIdx.x; i < n; i += gridDim.x * THREADS) {
    unsigned u = __float_as_uint(x[i]) & 0x7fffffffu;
    if (pass == 0 || u >> (shift + bits) == prefix) atomicAdd(own + (u >> shift & ((1u << bits) - 1)), 1u);
  }
  __syncthreads();
  for (int i = threadIdx.x; i < BINS; i += THREADS)
    if (own[i]) atomicAdd(counts + blockIdx.y * BINS + i, own[i]);
}

// The bits in whose values the rank falls; the counts are zeros again.
extern "C" __global__ void __launch_bounds__(THREADS) threshold_pick(State* state, unsigned* counts, int pass) {
  __shared__ unsigned sums[THREADS];
  counts += blockIdx.x * BINS;
  State& s = state[blockIdx.x];
  constexpr int EACH = BINS / THREADS;
  const int thread = threadIdx.x;
  unsigned own[EACH], sum = 0;
  for (int i = 0; i < EACH; ++i) own[i] = counts[thread * EACH + i], sum += own[i];
  sums[thread] = sum;
  __syncthreads();
  unsigned before = 0;
  for (int i = 0; i < thread; ++i) before += sums[i];
  const unsigned rank = s.rank, prefix = s.prefix;
  __syncthreads();
  for (int i = 0; i < EACH; ++i) {
    if (rank >= before && rank < before + own[i]) {
      s.prefix = prefix << bits_of(pass) | static_cast<unsigned>(thread * EACH + i);
      s.rank = rank - before;
      // Of the last bits: whether the successor is the same value.
      if (pass == PASSES - 1) {
        s.value = s.prefix;
        if (rank + 1 < before + own[i]) s.next = s.prefix;
      }
    }
    before += own[i];
    counts[thread * EACH + i] = 0;
  }
}

// The successor, where it is another value.
extern "C" __global__ void __launch_bounds__(THREADS) threshold_next(const float* x, State* state, int n) {
  State& s = state[blockIdx.y];
  const unsigned value = s.value;
  x += static_cast<long long>(blockIdx.y) * n;
  unsigned least = 0xffffffffu;
  for (int i = blockIdx.x * THREADS + threadIdx.x; i < n; i += gridDim.x * THREADS) {
    unsigned u = __float_as_uint(x[i]) & 0x7fffffffu;
    if (u > value) least = min(least, u);
  }
#pragma unroll
  for (int by = 16; by > 0; by /= 2) least = min(least, __shfl_xor_sync(0xffffffff, least, by));
  if (threadIdx.x % 32 == 0) atomicMin(&s.next, least);
}

// Linear between the two, as torch has it; then x is held within the quantile, at least 1, and divided.
extern "C" __global__ void __launch_bounds__(THREADS)
    threshold_apply(const float* x, const State* state, float* y, float* quantiles, int n, float weight) {
  const State s = state[blockIdx.y];
  float a = __uint_as_float(s.value), q = a;
  if (weight > 0.0f && s.next != 0xffffffffu) {
    float b = __uint_as_float(s.next);
    q = weight < 0.5f ? fmaf(weight, b - a, a) : fmaf(weight - 1.0f, b - a, b);
  }
  if (blockIdx.x == 0 && threadIdx.x == 0) quantiles[blockIdx.y] = q;
  const float limit = fmaxf(q, 1.0f);
  const long long sample = static_cast<long long>(blockIdx.y) * n;
  for (int i = blockIdx.x * THREADS + threadIdx.x; i < n; i += gridDim.x * THREADS)
    y[sample + i] = fminf(fmaxf(x[sample + i], -limit), limit) / limit;
}
