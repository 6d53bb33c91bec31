// Convolutions over space or time, 1 x 1 and strided ones, as one product of matrices: a row of the
// left one is what a position's taps see, a row of the right one is an output channel's weights. The
// left one is never made: its units are fetched from the tensor as they are needed.
//
// A block computes 128 positions of BN channels. Weights are [channel][tap][input channel], padded
// with zeros to whole units, chunks and blocks, the channels of each warp dealt so that a thread's
// results are neighbours (`ConvWeights` in conv.rs).

#include "device.cuh"

enum Form {
  // y[position][channel]
  ROWS = 0,
  // The channels of four pixels, first those of the upper left: SiLU, and each to its pixel.
  PIXELS = 1,
  // f32 [batch, channel, frame, height, width]
  PLANES = 2,
};

struct Conv {
  // Of the result.
  int positions, frames, height, width;
  // Of the operand.
  int x_frames, x_height, x_width;
  int time_stride, space_stride;
  int taps;
  // Units of 16 bytes a tap has, and from one position to the next.
  int tap_units, x_units;
  // Chunks of four units that a row of the weights has.
  int chunks;
  // Channels of the result, from one position to the next, and the first one's place.
  int outputs, y_stride, y_offset;
  int form;
};

constexpr int BM = 128;
constexpr int CHUNK = 4;

// Rows of 64 bytes, so placed that eight of them are read at once.
__device__ __forceinline__ int swizzled(int row, int unit) {
  return row * CHUNK + (unit ^ ((row >> 1) & 3));
}

template <class Math, int BN, int WARPS_M, int WARPS_N, int STAGES>
__device__ __forceinline__ void conv(const Conv& s, const typename Math::T* __restrict__ x,
                                     const typename Math::T* __restrict__ weights, const float* __restrict__ bias,
                                     const int* __restrict__ taps, void* y) {
  using T = typename Math::T;
  constexpr int THREADS = 32 * WARPS_M * WARPS_N;
  constexpr int MT = BM / WARPS_M / 16, NT = BN / WARPS_N / 8;
  constexpr int A_LOADS = BM * CHUNK / THREADS;
  constexpr int B_UNITS = BN * CHUNK;
  constexpr int STAGE_UNITS = (BM + BN) * CHUNK;
  SHARED_MEMORY(shared);
  auto* stages = reinterpret_cast<uint4*>(shared);

  const int thread = threadIdx.x, lane = thread % 32, warp = thread / 32;
  const int first = blockIdx.x * BM;
  const int unit = thread % CHUNK;

  // The operand's positions of this thread's rows.
  int frame[A_LOADS], row[A_LOADS], column[A_LOADS], base[A_LOADS];
#pragma unroll
  for (int i = 0; i < A_LOADS; ++i) {
    int p = first + thread / CHUNK + i * (THREADS / CHUNK);
    bool there = p < s.positions;
    if (!there) p = 0;
    int w = p % s.width;
    p /= s.width;
    int h = p % s.height;
    p /= s.height;
    int f = p % s.frames, b = p / s.frames;
    // A frame that no tap reaches.
    frame[i] = there ? f * s.time_stride : -(1 << 20);
    row[i] = h * s.space_stride, column[i] = w * s.space_stride;
    base[i] = ((b * s.x_frames + f * s.time_stride) * s.x_height + row[i]) * s.x_width + column[i];
  }

  // The tap and its unit that this thread fetches next.
  int tap = 0, tap_unit = unit;
  auto settle = [&] {
    while (tap_unit >= s.tap_units && tap < s.taps) tap_unit -= s.tap_units, ++tap;
  };
  settle();

  auto fetch = [&](int chunk) {
    uint4* a = stages + (chunk % STAGES) * STAGE_UNITS;
    uint4* b = a + BM * CHUNK;
    bool inside = tap < s.taps;
    int packed = inside ? __ldg(taps + tap) : 0;
    int df = static_cast<signed char>(packed), dy = static_cast<signed char>(packed >> 8),
        dx = static_cast<signed char>(packed >> 16);
    int delta = (df * s.x_height + dy) * s.x_width + dx;
#pragma unroll
    for (int i = 0; i < A_LOADS; ++i) {
      bool valid = inside && static_cast<unsigned>(frame[i] + df) < static_cast<unsigned>(s.x_frames) &&
                   static_cast<unsigned>(row[i] + dy) < static_cast<unsigned>(s.x_height) &&
                   static_cast<unsigned>(column[i] + dx) < static_cast<unsigned>(s.x_width);
      const uint4* from = reinterpret_cast<const uint4*>(x);
      if (valid) from += static_cast<long long>(base[i] + delta) * s.x_units + tap_unit;
      int r = thread / CHUNK + i * (THREADS / CHUNK);
      hardware::copy_async(a + swizzled(r, unit), from, valid);
    }
    for (int i = thread; i < B_UNITS; i += THREADS) {
      int r = i / CHUNK;
      const uint4* from = reinterpret_cast<const uint4*>(weights);
      from += (static_cast<long long>(blockIdx.y * BN + r) * s.chunks + chunk) * CHUNK + i % CHUNK;
      hardware::copy_async(b + swizzled(r, i % CHUNK), from, true);
    }
    tap_unit += CHUNK;
    settle();
  };

  float sum[MT][NT][4] = {};
  const int warp_m = warp % WARPS_M * (BM / WARPS_M), warp_n = warp / WARPS_M * (BN / WARPS_N);
  auto multiply = [&](int chunk) {
    const uint4* a = stages + (chunk % STAGES) * STAGE_UNITS;
    const uint4* b = a + BM * CHUNK;
#pragma unroll
    for (int step = 0; step < CHUNK * UNIT / STEP; ++step) {
      Operand<Math::PARTS, 4> left[MT];
#pragma unroll
      for (int i = 0; i < MT; ++i) {
        unsigned word[4];
        int r = warp_m + 16 * i + lane % 16;
        hardware::load_matrices(word, a + swizzled(r, 2 * step + lane / 16));
        left[i] = Math::operand(word);
      }
#pragma unroll
      for (int j = 0; j < NT; j += 2) {
        unsigned word[4];
        int r = warp_n + 8 * j + lane % 8 + lane / 16 * 8;
        hardware::load_matrices(word, b + swizzled(r, 2 * step + lane / 8 % 2));
        unsigned word0[2] = {word[0], word[1]}, word1[2] = {word[2], word[3]};
        auto right0 = Math::operand(word0), right1 = Math::operand(word1);
#pragma unroll
        for (int i = 0; i < MT; ++i) {
          Math::add_product(sum[i][j], left[i], right0);
          Math::add_product(sum[i][j + 1], left[i], right1);
        }
      }
    }
  };

#pragma unroll
  for (int i = 0; i < STAGES - 1; ++i) {
    if (i < s.chunks) fetch(i);
    hardware::copies_commit();
  }
  for (int chunk = 0; chunk < s.chunks; ++chunk) {
    hardware::copies_wait<STAGES - 2>();
    __syncthreads();
    // Into the stage that every warp has left behind.
    if (chunk + STAGES - 1 < s.chunks) fetch(chunk + STAGES - 1);
    hardware::copies_commit();
    multiply(chunk);
  }

  // A thread's columns are RUN neighbours.
  constexpr int RUN = 2 * NT, V = UNIT / sizeof(T);
  const int n = blockIdx.y * BN + warp_n + lane % 4 * RUN;
#pragma unroll
  for (int i = 0; i < MT; ++i) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      int p = first + warp_m + 16 * i + 8 * half + lane / 4;
      if (p >= s.positions) continue;
      float v[RUN];
#pragma unroll
      for (int j = 0; j < NT; ++j) v[2 * j] = sum[i][j][2 * half], v[2 * j + 1] = sum[i][j][2 * half + 1];
#pragma unroll
      for (int k = 0; k < RUN; ++k) {
        if (bias && n + k < s.outputs) v[k] += __ldg(bias + n + k);
        if (s.form == PIXELS) v[k] = silu(v[k]);
      }
      if (s.form == PLANES) {
        int size = s.frames * s.height * s.width;
        auto* to = static_cast<float*>(y) + static_cast<long long>(p / size) * s.outputs * size + p % size;
#pragma unroll
        for (int k = 0; k < RUN; ++k)
          if (n + k < s.outputs) to[static_cast<long long>(n + k) * size] = v[k];
        continue;
      }
      auto address = [&](int c) {
        if (s.form == ROWS) return static_cast<T*>(y) + static_cast<long long>(p) * s.y_stride + s.y_offset + c;
        int own = s.outputs / 4, part = c / own;
        int w = p % s.width, h = p / s.width;
        long long at = (2LL * h + part / 2) * (2 * s.width) + 2 * w + part % 2;
        return static_cast<T*>(y) + at * s.y_stride + s.y_offset + c % own;
      };
      bool whole = n + RUN <= s.outputs && RUN % V == 0 && s.y_stride % V == 0 && s.y_offset % V == 0 &&
                   (s.form == ROWS || s.outputs / 4 % V == 0);
      if (whole) {
#pragma unroll
        for (int k = 0; k < RUN; k += V) store_unit(address(n + k), v + k);
      } else {
#pragma unroll
        for (int k = 0; k < RUN; ++k)
          if (n + k < s.outputs) store(address(n + k), v[k]);
      }
    }
  }
}

#define CONV(name, Math, BN, WARPS_M, WARPS_N, STAGES)                                                               \
  extern "C" __global__ void __launch_bounds__(32 * WARPS_M * WARPS_N)                                               \
      name(Conv s, const Math::T* x, const Math::T* weights, const float* bias, const int* taps, void* y) {          \
    conv<Math, BN, WARPS_M, WARPS_N, STAGES>(s, x, weights, bias, taps, y);                                          \
  }

CONV(conv_f32_128, F32, 128, 2, 4, 3)
CONV(conv_f32_64, F32, 64, 2, 2, 4)
CONV(conv_f32_16, F32, 16, 4, 1, 4)
CONV(conv_tf32_128, Tf32, 128, 2, 4, 3)
CONV(conv_tf32_64, Tf32, 64, 2, 2, 4)
CONV(conv_tf32_16, Tf32, 16, 4, 1, 4)
CONV(conv_bf16_128, Bf16, 128, 2, 4, 3)
CONV(conv_bf16_64, Bf16, 64, 2, 2, 4)
CONV(conv_bf16_16, Bf16, 16, 4, 1, 4)
