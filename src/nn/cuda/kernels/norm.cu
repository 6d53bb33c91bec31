// Group norm with scale, shift and SiLU, and layer norm over channels.

#include "device.cuh"

constexpr int THREADS = 256;

// Sums of x - pivot and of its square over the positions of a chunk, for every channel; the pivot is the
// channel's first value, so that what is squared is small. `sums` [batch][chunk][channel] pairs.
template <class T>
__device__ __forceinline__ void group_sums(const T* __restrict__ x, float2* __restrict__ sums, int positions,
                                           int channels, int stride, int rows_a_chunk) {
  constexpr int V = UNIT / sizeof(T);
  SHARED_MEMORY(shared);
  auto* partial = reinterpret_cast<float2*>(shared);
  const int units = channels / V, rows = THREADS / units;
  const int unit = threadIdx.x % units, row = threadIdx.x / units;
  const T* sample = x + static_cast<long long>(blockIdx.y) * positions * stride;
  float pivot[V], sum[V] = {}, square[V] = {};
  load_unit(pivot, sample + unit * V);
  if (row < rows) {
    int end = min(positions, static_cast<int>(blockIdx.x + 1) * rows_a_chunk);
    for (int p = blockIdx.x * rows_a_chunk + row; p < end; p += rows) {
      float v[V];
      load_unit(v, sample + static_cast<long long>(p) * stride + unit * V);
#pragma unroll
      for (int i = 0; i < V; ++i) {
        float d = v[i] - pivot[i];
        sum[i] += d, square[i] += d * d;
      }
    }
#pragma unroll
    for (int i = 0; i < V; ++i) partial[row * channels + unit * V + i] = {sum[i], square[i]};
  }
  __syncthreads();
  for (int c = threadIdx.x; c < channels; c += THREADS) {
    float2 all = {0.0f, 0.0f};
    for (int r = 0; r < rows; ++r) {
      float2 one = partial[r * channels + c];
      all.x += one.x, all.y += one.y;
    }
    sums[(static_cast<long long>(blockIdx.y) * gridDim.x + blockIdx.x) * channels + c] = all;
  }
}

// From the chunks' sums to what each channel is multiplied with and gets added: the norm, its weight and
// bias, and `x * (scale + 1) + shift`. A block a group and sample. `affine` [2][channel];
// `scale_shift` [batch][2][channel] or none; `gains` [batch][2][channel].
template <class T>
__device__ __forceinline__ void group_gains(const T* __restrict__ x, const float2* __restrict__ sums,
                                            const float* __restrict__ affine, const float* __restrict__ scale_shift,
                                            float* __restrict__ gains, int positions, int channels, int stride,
                                            int chunks, double eps) {
  SHARED_MEMORY(shared);
  const int width = channels / gridDim.x, group = blockIdx.x, sample = blockIdx.y;
  auto* means = reinterpret_cast<double*>(shared);
  auto* squares = means + width;
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  for (int i = warp; i < width; i += THREADS / 32) {
    int c = group * width + i;
    double sum = 0, square = 0;
    for (int k = lane; k < chunks; k += 32) {
      float2 one = sums[(static_cast<long long>(sample) * chunks + k) * channels + c];
      sum += one.x, square += one.y;
    }
#pragma unroll
    for (int by = 16; by > 0; by /= 2) {
      sum += __shfl_xor_sync(0xffffffff, sum, by);
      square += __shfl_xor_sync(0xffffffff, square, by);
    }
    if (lane == 0) {
      double pivot = load(x + static_cast<long long>(sample) * positions * stride + c);
      means[i] = pivot + sum / positions;
      squares[i] = square - sum * sum / positions;
    }
  }
  __syncthreads();
  double mean = 0, square = 0;
  for (int i = 0; i < width; ++i) mean += means[i];
  mean /= width;
  for (int i = 0; i < width; ++i) {
    double d = means[i] - mean;
    square += squares[i] + positions * d * d;
  }
  double rstd = 1.0 / sqrt(square / (static_cast<double>(positions) * width) + eps);
  for (int i = threadIdx.x; i < width; i += THREADS) {
    int c = group * width + i;
    double scale = 1, shift = 0;
    if (scale_shift) {
      scale += scale_shift[sample * 2 * channels + c];
      shift = scale_shift[(sample * 2 + 1) * channels + c];
    }
    double weight = affine[c], bias = affine[channels + c];
    gains[sample * 2 * channels + c] = static_cast<float>(rstd * weight * scale);
    gains[(sample * 2 + 1) * channels + c] = static_cast<float>((bias - mean * rstd * weight) * scale + shift);
  }
}

// y = silu(x gain + offset), channel by channel.
template <class T>
__device__ __forceinline__ void group_apply(const T* __restrict__ x, const float* __restrict__ gains, T* __restrict__ y,
                                            int positions, int channels, int stride, int rows_a_chunk) {
  constexpr int V = UNIT / sizeof(T);
  const int units = channels / V, rows = THREADS / units;
  const int unit = threadIdx.x % units, row = threadIdx.x / units;
  if (row >= rows) return;
  const float* gain = gains + blockIdx.y * 2 * channels + unit * V;
  float g[V], o[V];
#pragma unroll
  for (int i = 0; i < V; ++i) g[i] = gain[i], o[i] = gain[channels + i];
  const long long sample = static_cast<long long>(blockIdx.y) * positions;
  int end = min(positions, static_cast<int>(blockIdx.x + 1) * rows_a_chunk);
  for (int p = blockIdx.x * rows_a_chunk + row; p < end; p += rows) {
    float v[V];
    load_unit(v, x + (sample + p) * stride + unit * V);
#pragma unroll
    for (int i = 0; i < V; ++i) v[i] = silu(fmaf(v[i], g[i], o[i]));
    store_unit(y + (sample + p) * channels + unit * V, v);
  }
}

// Sums over the lanes that share a row: a power of two of them.
__device__ __forceinline__ float row_sum(float v, int lanes) {
  for (int by = lanes / 2; by > 0; by /= 2) v += __shfl_xor_sync(0xffffffff, v, by);
  return v;
}

// Some pixels of every frame, which lie together where a layer takes them by themselves: rows
// [frame][`band`], of which `start` is the first of the frame's `size`.
struct Band {
  int band, size, start;
};

// Layer norm over channels with a gain; y = norm(x), or y = r + norm(x) where there is an r. x and y are
// whole or a band of that; r is whole. Row p of the band.
template <class T>
__device__ __forceinline__ void channel_norm(const T* __restrict__ x, const float* __restrict__ gain,
                                             const T* __restrict__ r, T* __restrict__ y, Band band, int rows,
                                             int channels, int x_stride, int r_stride, int x_whole, int y_whole,
                                             int lanes, float eps) {
  constexpr int V = UNIT / sizeof(T);
  const int units = channels / V, lane = threadIdx.x % lanes;
  int p = blockIdx.x * (THREADS / lanes) + threadIdx.x / lanes;
  const bool there = p < rows;
  if (!there) p = rows - 1;
  const long long whole = static_cast<long long>(p / band.band) * band.size + band.start + p % band.band;
  const T* row = x + (x_whole ? whole : p) * x_stride;
  float sum = 0;
  for (int u = lane; u < units; u += lanes) {
    float v[V];
    load_unit(v, row + u * V);
#pragma unroll
    for (int i = 0; i < V; ++i) sum += v[i];
  }
  const float mean = row_sum(sum, lanes) / channels;
  float square = 0;
  for (int u = lane; u < units; u += lanes) {
    float v[V];
    load_unit(v, row + u * V);
#pragma unroll
    for (int i = 0; i < V; ++i) square += (v[i] - mean) * (v[i] - mean);
  }
  const float rstd = 1.0f / sqrtf(row_sum(square, lanes) / channels + eps);
  if (!there) return;
  T* out = y + (y_whole ? whole : p) * channels;
  for (int u = lane; u < units; u += lanes) {
    float v[V];
    load_unit(v, row + u * V);
#pragma unroll
    for (int i = 0; i < V; ++i) v[i] = (v[i] - mean) * rstd * __ldg(gain + u * V + i);
    if (r) {
      float before[V];
      load_unit(before, r + whole * r_stride + u * V);
#pragma unroll
      for (int i = 0; i < V; ++i) v[i] += before[i];
    }
    store_unit(out + u * V, v);
  }
}

#define NORMS(name, T)                                                                                                \
  extern "C" __global__ void __launch_bounds__(THREADS)                                                               \
      group_sums_##name(const T* x, float2* sums, int positions, int channels, int stride, int rows_a_chunk) {        \
    group_sums<T>(x, sums, positions, channels, stride, rows_a_chunk);                                                \
  }                                                                                                                   \
  extern "C" __global__ void __launch_bounds__(THREADS)                                                               \
      group_gains_##name(const T* x, const float2* sums, const float* affine, const float* scale_shift, float* gains, \
                         int positions, int channels, int stride, int chunks, double eps) {                           \
    group_gains<T>(x, sums, affine, scale_shift, gains, positions, channels, stride, chunks, eps);                    \
  }                                                                                                                   \
  extern "C" __global__ void __launch_bounds__(THREADS)                                                               \
      group_apply_##name(const T* x, const float* gains, T* y, int positions, int channels, int stride,               \
                         int rows_a_chunk) {                                                                          \
    group_apply<T>(x, gains, y, positions, channels, stride, rows_a_chunk);                                           \
  }                                                                                                                   \
  extern "C" __global__ void __launch_bounds__(THREADS)                                                               \
      channel_norm_##name(const T* x, const float* gain, const T* r, T* y, Band band, int rows, int channels,         \
                          int x_stride, int r_stride, int x_whole, int y_whole, int lanes, float eps) {               \
    channel_norm<T>(x, gain, r, y, band, rows, channels, x_stride, r_stride, x_whole, y_whole, lanes, eps);           \
  }

NORMS(f32, float)
NORMS(bf16, __nv_bfloat16)
