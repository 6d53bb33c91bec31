// What stands between the layers: each one pass over memory. `units` are of 16 bytes.

#include "device.cuh"

constexpr int THREADS = 256;

__device__ __forceinline__ long long index() { return static_cast<long long>(blockIdx.x) * THREADS + threadIdx.x; }

// Channels first to channels last: `from` f32 [batch, channel, position] into channels `at ..` of rows of
// `stride`. A picture that is the same for every frame has `repeat` frames, and a batch of one may be for
// all. The channels behind are zeros up to `fill`.
struct Planes {
  const float* from;
  int channels, at, fill;
  // Positions of one frame of `from`, and frames that repeat it.
  int size, repeat;
  // 0 where one sample is for the whole batch.
  int batched;
};

template <class T>
__device__ __forceinline__ void rows_of_planes(const Planes& s, T* __restrict__ y, int positions, int stride, int batch) {
  long long i = index();
  if (i >= static_cast<long long>(positions) * batch) return;
  int p = i % positions, b = i / positions;
  // With a repeat, positions are frame by frame.
  int own = s.repeat > 1 ? p % s.size : p;
  long long size = s.repeat > 1 ? s.size : positions;
  const float* from = s.from + (s.batched ? b * size * s.channels : 0) + own;
  T* to = y + i * stride + s.at;
  for (int c = 0; c < s.channels; ++c) store(to + c, from[c * size]);
  for (int c = s.channels; c < s.fill; ++c) store(to + c, 0.0f);
}

// [x, y by], channel after channel.
template <class T>
__device__ __forceinline__ void join(const T* __restrict__ x, const T* __restrict__ y, T* __restrict__ out, int rows,
                                     int x_units, int y_units, int x_stride, int y_stride, float by) {
  constexpr int V = UNIT / sizeof(T);
  int units = x_units + y_units;
  long long i = index();
  if (i >= static_cast<long long>(rows) * units) return;
  long long row = i / units;
  int u = i % units;
  float v[V];
  if (u < x_units) {
    load_unit(v, x + row * x_stride + u * V);
  } else {
    load_unit(v, y + row * y_stride + (u - x_units) * V);
#pragma unroll
    for (int k = 0; k < V; ++k) v[k] *= by;
  }
  store_unit(out + i * V, v);
}

// x + y, or x gate + y with a gate [batch, channel].
template <class T>
__device__ __forceinline__ void gated_sum(const T* __restrict__ x, const T* __restrict__ y, const float* __restrict__ gate,
                                    T* __restrict__ out, int rows, int units, int x_stride, int y_stride,
                                    int rows_a_sample) {
  constexpr int V = UNIT / sizeof(T);
  long long i = index();
  if (i >= static_cast<long long>(rows) * units) return;
  long long row = i / units;
  int u = i % units;
  float v[V], w[V];
  load_unit(v, x + row * x_stride + u * V);
  load_unit(w, y + row * y_stride + u * V);
  if (gate) {
    const float* g = gate + (row / rows_a_sample * units + u) * V;
#pragma unroll
    for (int k = 0; k < V; ++k) v[k] = fmaf(v[k], __ldg(g + k), w[k]);
  } else {
#pragma unroll
    for (int k = 0; k < V; ++k) v[k] += w[k];
  }
  store_unit(out + i * V, v);
}

// Temporal PEG: x plus a causal depthwise convolution over frames. `weight` [channel][3].
template <class T>
__device__ __forceinline__ void peg(const T* __restrict__ x, const float* __restrict__ weight,
                                    const float* __restrict__ bias, T* __restrict__ out, int rows, int units,
                                    int stride, int frames, int size) {
  constexpr int V = UNIT / sizeof(T);
  long long i = index();
  if (i >= static_cast<long long>(rows) * units) return;
  long long row = i / units;
  int u = i % units, frame = row / size % frames;
  float v[V], before[V] = {}, first[V] = {};
  const T* at = x + row * stride + u * V;
  load_unit(v, at);
  if (frame >= 1) load_unit(before, at - static_cast<long long>(size) * stride);
  if (frame >= 2) load_unit(first, at - 2LL * size * stride);
#pragma unroll
  for (int k = 0; k < V; ++k) {
    int c = u * V + k;
    const float* w = weight + 3 * c;
    v[k] += fmaf(__ldg(w), first[k], fmaf(__ldg(w + 1), before[k], fmaf(__ldg(w + 2), v[k], __ldg(bias + c))));
  }
  store_unit(out + i * V, v);
}

// Copies of x, one after the other.
extern "C" __global__ void __launch_bounds__(THREADS) repeat(const uint4* x, uint4* y, int units, int copies) {
  long long i = index();
  if (i < static_cast<long long>(units) * copies) y[i] = x[i % units];
}

#define POINTWISE(name, T)                                                                                            \
  extern "C" __global__ void __launch_bounds__(THREADS)                                                               \
      rows_of_planes_##name(Planes s, T* y, int positions, int stride, int batch) {                                   \
    rows_of_planes<T>(s, y, positions, stride, batch);                                                                \
  }                                                                                                                   \
  extern "C" __global__ void __launch_bounds__(THREADS)                                                               \
      join_##name(const T* x, const T* y, T* out, int rows, int x_units, int y_units, int x_stride, int y_stride,     \
                  float by) {                                                                                         \
    join<T>(x, y, out, rows, x_units, y_units, x_stride, y_stride, by);                                               \
  }                                                                                                                   \
  extern "C" __global__ void __launch_bounds__(THREADS)                                                               \
      gated_sum_##name(const T* x, const T* y, const float* gate, T* out, int rows, int units, int x_stride, int y_stride,  \
                 int rows_a_sample) {                                                                                 \
    gated_sum<T>(x, y, gate, out, rows, units, x_stride, y_stride, rows_a_sample);                                          \
  }                                                                                                                   \
  extern "C" __global__ void __launch_bounds__(THREADS)                                                               \
      peg_##name(const T* x, const float* weight, const float* bias, T* out, int rows, int units, int stride,         \
                 int frames, int size) {                                                                              \
    peg<T>(x, weight, bias, out, rows, units, stride, frames, size);                                                  \
  }

POINTWISE(f32, float)
POINTWISE(bf16, __nv_bfloat16)
