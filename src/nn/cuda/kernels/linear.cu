// What the conditioning is made of: products of few rows, in f32 whatever the rest is computed in; and
// the global context, a gate from one attention-pooled row.

#include "device.cuh"

constexpr int THREADS = 256;
constexpr int WARPS = THREADS / 32;

__device__ __forceinline__ float warp_sum(float v) {
#pragma unroll
  for (int by = 16; by > 0; by /= 2) v += __shfl_xor_sync(0xffffffff, v, by);
  return v;
}
__device__ __forceinline__ float warp_max(float v) {
#pragma unroll
  for (int by = 16; by > 0; by /= 2) v = fmaxf(v, __shfl_xor_sync(0xffffffff, v, by));
  return v;
}

// y[row][o] = sum of w[o][k] x[row][k], and a bias; SiLU before or after where it is asked for. A warp a
// result.
extern "C" __global__ void __launch_bounds__(THREADS)
    linear_f32(const float* x, const float* w, const float* bias, float* y, int rows, int inputs, int outputs,
               int silu_before, int silu_after) {
  long long i = static_cast<long long>(blockIdx.x) * WARPS + threadIdx.x / 32;
  if (i >= static_cast<long long>(rows) * outputs) return;
  int o = i % outputs, lane = threadIdx.x % 32;
  const float *row = x + i / outputs * inputs, *weight = w + static_cast<long long>(o) * inputs;
  float sum = 0;
  for (int k = lane; k < inputs; k += 32) sum = fmaf(silu_before ? silu(row[k]) : row[k], weight[k], sum);
  sum = warp_sum(sum);
  if (lane) return;
  if (bias) sum += bias[o];
  y[i] = silu_after ? silu(sum) : sum;
}

// The pooled row of a chunk: the greatest score, the sum of weights, and the weighted sum of rows, to be
// put together over the chunks. Scores are <x, k> + bias. `pooled` [batch][chunk][2 + channel]. `lanes`
// threads share a row, a power of two of them.
template <class T>
__device__ __forceinline__ void pool(const T* __restrict__ x, const float* __restrict__ k, const float* __restrict__ bias,
                                     float* __restrict__ pooled, int positions, int channels, int stride,
                                     int rows_a_chunk, int lanes) {
  constexpr int V = UNIT / sizeof(T);
  SHARED_MEMORY(shared);
  __shared__ float tops[WARPS], sums[WARPS];
  auto* weights = reinterpret_cast<float*>(shared);
  const int thread = threadIdx.x, lane = thread % 32, warp = thread / 32;
  const int first = blockIdx.x * rows_a_chunk, rows = min(rows_a_chunk, positions - first);
  x += (static_cast<long long>(blockIdx.y) * positions + first) * stride;
  const int units = channels / V;

  float top = -1e30f;
  // As often as the last row needs: all lanes of a warp meet in the sum.
  for (int r0 = 0; r0 < rows; r0 += THREADS / lanes) {
    int r = min(r0 + thread / lanes, rows - 1);
    float sum = 0;
    for (int u = thread % lanes; u < units; u += lanes) {
      float v[V];
      load_unit(v, x + static_cast<long long>(r) * stride + u * V);
#pragma unroll
      for (int i = 0; i < V; ++i) sum = fmaf(v[i], __ldg(k + u * V + i), sum);
    }
    for (int by = lanes / 2; by > 0; by /= 2) sum += __shfl_xor_sync(0xffffffff, sum, by);
    sum += bias[0];
    if (thread % lanes == 0) weights[r] = sum;
    top = fmaxf(top, sum);
  }
  top = warp_max(top);
  if (lane == 0) tops[warp] = top;
  __syncthreads();
  for (int i = 0; i < WARPS; ++i) top = fmaxf(top, tops[i]);
  float whole = 0;
  for (int r = thread; r < rows; r += THREADS) {
    float w = __expf(weights[r] - top);
    weights[r] = w;
    whole += w;
  }
  whole = warp_sum(whole);
  if (lane == 0) sums[warp] = whole;
  __syncthreads();

  float* out = pooled + (static_cast<long long>(blockIdx.y) * gridDim.x + blockIdx.x) * (2 + channels);
  if (thread == 0) {
    whole = 0;
    for (int i = 0; i < WARPS; ++i) whole += sums[i];
    out[0] = top, out[1] = whole;
  }
  // As many rows side by side as there are threads for; their sums meet behind the weights.
  auto* partial = weights + rows_a_chunk;
  const int beside = THREADS / units, unit = thread % units, row = thread / units;
  float sum[V] = {};
  if (row < beside) {
    for (int r = row; r < rows; r += beside) {
      float v[V], w = weights[r];
      load_unit(v, x + static_cast<long long>(r) * stride + unit * V);
#pragma unroll
      for (int i = 0; i < V; ++i) sum[i] = fmaf(w, v[i], sum[i]);
    }
#pragma unroll
    for (int i = 0; i < V; ++i) partial[row * channels + unit * V + i] = sum[i];
  }
  __syncthreads();
  for (int c = thread; c < channels; c += THREADS) {
    float all = 0;
    for (int r = 0; r < beside; ++r) all += partial[r * channels + c];
    out[2 + c] = all;
  }
}

// From the chunks' pooled rows to the gate: softmax over all of them, then two layers. A block a sample.
__device__ __forceinline__ void gate(const float* __restrict__ pooled, const float* __restrict__ w1,
                                     const float* __restrict__ b1, const float* __restrict__ w2,
                                     const float* __restrict__ b2, float* __restrict__ out, int chunks, int channels,
                                     int inner) {
  SHARED_MEMORY(shared);
  const int thread = threadIdx.x, lane = thread % 32, warp = thread / 32;
  const int beside = max(1, THREADS / channels);
  auto* shares = reinterpret_cast<float*>(shared);
  float *partial = shares + chunks, *context = partial + beside * channels, *hidden = context + channels;
  pooled += static_cast<long long>(blockIdx.x) * chunks * (2 + channels);
  float top = -1e30f;
  for (int i = lane; i < chunks; i += 32) top = fmaxf(top, pooled[static_cast<long long>(i) * (2 + channels)]);
  top = warp_max(top);
  float whole = 0;
  for (int i = lane; i < chunks; i += 32) {
    const float* one = pooled + static_cast<long long>(i) * (2 + channels);
    float share = __expf(one[0] - top);
    whole += one[1] * share;
    if (warp == 0) shares[i] = share;
  }
  whole = warp_sum(whole);
  __syncthreads();
  for (int i = thread; i < beside * channels; i += THREADS) {
    int c = i % channels;
    float sum = 0;
    for (int k = i / channels; k < chunks; k += beside)
      sum = fmaf(pooled[static_cast<long long>(k) * (2 + channels) + 2 + c], shares[k], sum);
    partial[i] = sum;
  }
  __syncthreads();
  for (int c = thread; c < channels; c += THREADS) {
    float sum = 0;
    for (int i = 0; i < beside; ++i) sum += partial[i * channels + c];
    context[c] = sum / whole;
  }
  __syncthreads();
  for (int o = warp; o < inner; o += WARPS) {
    float sum = 0;
    for (int c = lane; c < channels; c += 32) sum = fmaf(w1[o * channels + c], context[c], sum);
    sum = warp_sum(sum);
    if (lane == 0) hidden[o] = silu(sum + b1[o]);
  }
  __syncthreads();
  for (int o = warp; o < channels; o += WARPS) {
    float sum = 0;
    for (int c = lane; c < inner; c += 32) sum = fmaf(w2[o * inner + c], hidden[c], sum);
    sum = warp_sum(sum);
    if (lane == 0) out[static_cast<long long>(blockIdx.x) * channels + o] = sigmoid(sum + b2[o]);
  }
}

extern "C" __global__ void __launch_bounds__(THREADS)
    gate_f32(const float* pooled, const float* w1, const float* b1, const float* w2, const float* b2, float* out,
             int chunks, int channels, int inner) {
  gate(pooled, w1, b1, w2, b2, out, chunks, channels, inner);
}

#define POOL(name, T)                                                                                                \
  extern "C" __global__ void __launch_bounds__(THREADS)                                                              \
      pool_##name(const T* x, const float* k, const float* bias, float* pooled, int positions, int channels,         \
                  int stride, int rows_a_chunk, int lanes) {                                                         \
    pool<T>(x, k, bias, pooled, positions, channels, stride, rows_a_chunk, lanes);                                         \
  }
POOL(f32, float)
POOL(bf16, __nv_bfloat16)
