// Convolutions over space or time, 1 x 1 and strided ones, as one product of matrices: a row of the
// left one is what a position's taps see, a row of the right one is an output channel's weights. The
// left one is never made.
//
// Two kernels. `tile` copies the positions of a small box, and those around it that taps reach, into
// shared memory once for all taps. `gather` fetches what each tap sees by itself: for 1 x 1, for strides,
// and where a box would not fit.
//
// A thread's results are neighbours along the channels, by the order in which the weights are packed
// (`Block::row_of` in block.rs).

#include "device.cuh"

enum Form {
  // y[position][channel]
  ROWS = 0,
  // The channels of four pixels, first those of the upper left: SiLU, and each to its pixel.
  PIXELS = 1,
  // f32 [batch, channel, frame, height, width]
  PLANES = 2,
};

// Of the result. Sizes are in elements.
struct Result {
  int frames, height, width;
  // Channels, from one position to the next, and the first one's place.
  int outputs, stride, offset;
  int form;
};

// Units of weights and positions that are multiplied between two waits.
constexpr int CHUNK = 4;

// Rows of 64 bytes, so placed that any eight neighbours are read at once.
__device__ __forceinline__ int swizzled(int row, int unit) { return row * CHUNK + (unit ^ ((row >> 1) & 3)); }

// A warp's product of MT x NT tiles, of rows that its lanes name.
template <class Math, int MT, int NT>
struct Product {
  float sum[MT][NT][4];

  __device__ __forceinline__ void begin() {
#pragma unroll
    for (int i = 0; i < MT; ++i)
#pragma unroll
      for (int j = 0; j < NT; ++j)
#pragma unroll
        for (int k = 0; k < 4; ++k) sum[i][j][k] = 0.0f;
  }

  // One step along k. `row[i]` is this lane's row of the left operand for tile i (lane % 16 of the tile),
  // `first` the warp's first row of the right one.
  __device__ __forceinline__ void add(const uint4* a, const int (&row)[MT], const uint4* b, int first, int step) {
    const int lane = threadIdx.x % 32;
    Operand<Math::PARTS, 4> left[MT];
#pragma unroll
    for (int i = 0; i < MT; ++i) {
      unsigned word[4];
      hardware::load_matrices(word, a + swizzled(row[i], 2 * step + lane / 16));
      left[i] = Math::operand(word);
    }
#pragma unroll
    for (int j = 0; j < NT; j += 2) {
      unsigned word[4];
      int r = first + 8 * j + lane % 8 + lane / 16 * 8;
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

  // Bias, form and all. `position(r)` is where row r of the warp belongs, or less than 0; `n` the lane's
  // first channel.
  template <class Position>
  __device__ __forceinline__ void write(const Result& s, const float* __restrict__ bias, void* y, int n,
                                        Position position) const {
    using T = typename Math::T;
    constexpr int RUN = 2 * NT, V = UNIT / sizeof(T);
    const bool whole = n + RUN <= s.outputs && RUN % V == 0 && s.stride % V == 0 && s.offset % V == 0 &&
                       (s.form == ROWS || s.outputs / 4 % V == 0);
#pragma unroll
    for (int i = 0; i < MT; ++i) {
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        const int p = position(16 * i + 8 * half + threadIdx.x % 32 / 4);
        if (p < 0) continue;
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
          if (s.form == ROWS) return static_cast<T*>(y) + static_cast<long long>(p) * s.stride + s.offset + c;
          int own = s.outputs / 4, part = c / own;
          int w = p % s.width, h = p / s.width;
          long long at = (2LL * h + part / 2) * (2 * s.width) + 2 * w + part % 2;
          return static_cast<T*>(y) + at * s.stride + s.offset + c % own;
        };
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
};

__device__ __forceinline__ void unpacked(int tap, int& df, int& dy, int& dx) {
  df = static_cast<signed char>(tap), dy = static_cast<signed char>(tap >> 8), dx = static_cast<signed char>(tap >> 16);
}

struct Gather {
  Result y;
  int positions;
  // Of the operand.
  int frames, height, width;
  int time_stride, space_stride;
  int taps;
  // Units of 16 bytes a tap has, and from one position to the next.
  int tap_units, x_units;
  // Chunks that a row of the weights has: taps one after the other.
  int chunks;
};

// A block computes 128 positions of BN channels. Weights [block][chunk][channel][unit].
template <class Math, int BN, int WARPS_M, int WARPS_N, int STAGES>
__device__ __forceinline__ void gather(const Gather& s, const typename Math::T* __restrict__ x,
                                       const uint4* __restrict__ weights, const float* __restrict__ bias,
                                       const int* __restrict__ taps, void* y) {
  constexpr int BM = 128, THREADS = 32 * WARPS_M * WARPS_N;
  constexpr int MT = BM / WARPS_M / 16, NT = BN / WARPS_N / 8;
  constexpr int A_LOADS = BM * CHUNK / THREADS;
  constexpr int STAGE = (BM + BN) * CHUNK;
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
    int w = p % s.y.width;
    p /= s.y.width;
    int h = p % s.y.height;
    p /= s.y.height;
    int f = p % s.y.frames, b = p / s.y.frames;
    // A frame that no tap reaches.
    frame[i] = there ? f * s.time_stride : -(1 << 20);
    row[i] = h * s.space_stride, column[i] = w * s.space_stride;
    base[i] = ((b * s.frames + f * s.time_stride) * s.height + row[i]) * s.width + column[i];
  }

  // The tap and its unit that this thread fetches next.
  int tap = 0, tap_unit = unit;
  auto settle = [&] {
    while (tap_unit >= s.tap_units && tap < s.taps) tap_unit -= s.tap_units, ++tap;
  };
  settle();
  auto fetch = [&](int chunk) {
    uint4* a = stages + (chunk % STAGES) * STAGE;
    uint4* b = a + BM * CHUNK;
    bool inside = tap < s.taps;
    int df, dy, dx;
    unpacked(inside ? __ldg(taps + tap) : 0, df, dy, dx);
    int delta = (df * s.height + dy) * s.width + dx;
#pragma unroll
    for (int i = 0; i < A_LOADS; ++i) {
      bool valid = inside && static_cast<unsigned>(frame[i] + df) < static_cast<unsigned>(s.frames) &&
                   static_cast<unsigned>(row[i] + dy) < static_cast<unsigned>(s.height) &&
                   static_cast<unsigned>(column[i] + dx) < static_cast<unsigned>(s.width);
      const uint4* from = reinterpret_cast<const uint4*>(x);
      if (valid) from += static_cast<long long>(base[i] + delta) * s.x_units + tap_unit;
      int r = thread / CHUNK + i * (THREADS / CHUNK);
      hardware::copy_async(a + swizzled(r, unit), from, valid);
    }
    const uint4* from = weights + (static_cast<long long>(blockIdx.y) * s.chunks + chunk) * BN * CHUNK;
    for (int i = thread; i < BN * CHUNK; i += THREADS) hardware::copy_async(b + i, from + i, true);
    tap_unit += CHUNK;
    settle();
  };

  Product<Math, MT, NT> product;
  product.begin();
  const int warp_m = warp % WARPS_M * (BM / WARPS_M), warp_n = warp / WARPS_M * (BN / WARPS_N);
  int rows[MT];
#pragma unroll
  for (int i = 0; i < MT; ++i) rows[i] = warp_m + 16 * i + lane % 16;
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
    const uint4* a = stages + (chunk % STAGES) * STAGE;
#pragma unroll
    for (int step = 0; step < CHUNK * UNIT / STEP; ++step) product.add(a, rows, a + BM * CHUNK, warp_n, step);
  }
  product.write(s.y, bias, y, blockIdx.y * BN + warp_n + lane % 4 * 2 * NT, [&](int r) {
    int p = first + warp_m + r;
    return p < s.positions ? p : -1;
  });
}

struct Tile {
  Result y;
  int batch;
  // Of a box of 64 positions a warp: frames, rows, columns, and how many boxes are in each direction.
  int box_frames, box_rows, box_columns;
  int boxes_frames, boxes_rows, boxes_columns;
  // The first tap's place relative to a position, and how many places the taps span.
  int first_frame, first_row, first_column;
  int span_frames, span_rows, span_columns;
  int taps;
  // Units of a position, and from one position to the next.
  int units, x_units;
};

// A block computes a box of positions and BN channels. Weights [block][chunk][tap][channel][unit].
template <class Math, int NT, int WARPS_M, int WARPS_N>
__device__ __forceinline__ void tile(const Tile& s, const typename Math::T* __restrict__ x,
                                     const uint4* __restrict__ weights, const float* __restrict__ bias,
                                     const int* __restrict__ taps, void* y) {
  // Weights under way; a chunk of positions comes with the weights of its first taps.
  constexpr int STAGES = 3;
  constexpr int MT = 4, BN = 8 * NT * WARPS_N, THREADS = 32 * WARPS_M * WARPS_N;
  constexpr int B_STAGE = BN * CHUNK;
  SHARED_MEMORY(shared);
  const int thread = threadIdx.x, lane = thread % 32, warp = thread / 32;
  const int rows_high = s.box_rows + s.span_rows - 1, columns_wide = s.box_columns + s.span_columns - 1;
  const int around = (s.box_frames + s.span_frames - 1) * rows_high * columns_wide;
  const int chunks = (s.units + CHUNK - 1) / CHUNK, turns = chunks * s.taps;
  auto* b_stages = reinterpret_cast<uint4*>(shared);
  uint4* a_stages = b_stages + STAGES * B_STAGE;
  const int a_stage = around * CHUNK;
  auto* sources = reinterpret_cast<int*>(a_stages + (chunks > 1 ? 2 : 1) * a_stage);
  int* tap_rows = sources + around;

  // This block's box.
  int at = blockIdx.x;
  const int column0 = at % s.boxes_columns * s.box_columns;
  at /= s.boxes_columns;
  const int row0 = at % s.boxes_rows * s.box_rows;
  at /= s.boxes_rows;
  const int frame0 = at % s.boxes_frames * s.box_frames, sample = at / s.boxes_frames;

  // Where each place of the box and around it comes from; less than 0 where the picture has ended.
  for (int i = thread; i < around; i += THREADS) {
    int column = column0 + s.first_column + i % columns_wide;
    int row = row0 + s.first_row + i / columns_wide % rows_high;
    int frame = frame0 + s.first_frame + i / columns_wide / rows_high;
    bool there = static_cast<unsigned>(frame) < static_cast<unsigned>(s.y.frames) &&
                 static_cast<unsigned>(row) < static_cast<unsigned>(s.y.height) &&
                 static_cast<unsigned>(column) < static_cast<unsigned>(s.y.width);
    sources[i] = there ? ((sample * s.y.frames + frame) * s.y.height + row) * s.y.width + column : -1;
  }
  for (int i = thread; i < s.taps; i += THREADS) {
    int df, dy, dx;
    unpacked(taps[i], df, dy, dx);
    tap_rows[i] = ((df - s.first_frame) * rows_high + dy - s.first_row) * columns_wide + dx - s.first_column;
  }

  const int warp_m = warp % WARPS_M * 64, warp_n = warp / WARPS_M * 8 * NT;
  // Row r of the box as a place in shared memory, for the first tap.
  auto place_of = [&](int r) {
    int column = r % s.box_columns, row = r / s.box_columns % s.box_rows, frame = r / s.box_columns / s.box_rows;
    return (frame * rows_high + row) * columns_wide + column;
  };
  int base[MT];
#pragma unroll
  for (int i = 0; i < MT; ++i) base[i] = place_of(warp_m + 16 * i + lane % 16);
  __syncthreads();

  auto fetch_a = [&](int chunk) {
    uint4* a = a_stages + (chunk & 1) * a_stage;
    for (int i = thread; i < around * CHUNK; i += THREADS) {
      int place = i / CHUNK, unit = i % CHUNK, source = sources[place];
      bool valid = source >= 0 && chunk * CHUNK + unit < s.units;
      const uint4* from = reinterpret_cast<const uint4*>(x);
      if (valid) from += static_cast<long long>(source) * s.x_units + chunk * CHUNK + unit;
      hardware::copy_async(a + swizzled(place, unit), from, valid);
    }
  };
  auto fetch_b = [&](int turn) {
    uint4* b = b_stages + turn % STAGES * B_STAGE;
    const uint4* from = weights + (static_cast<long long>(blockIdx.y) * turns + turn) * B_STAGE;
    for (int i = thread; i < B_STAGE; i += THREADS) hardware::copy_async(b + i, from + i, true);
  };

  Product<Math, MT, NT> product;
  product.begin();
  fetch_a(0);
#pragma unroll
  for (int i = 0; i < STAGES - 1; ++i) {
    if (i < turns) fetch_b(i);
    hardware::copies_commit();
  }
  int chunk = 0, tap = 0;
  for (int turn = 0; turn < turns; ++turn) {
    hardware::copies_wait<STAGES - 2>();
    __syncthreads();
    if (turn + STAGES - 1 < turns) fetch_b(turn + STAGES - 1);
    // Into the positions that every warp has left behind; there, by the order of copies, before the first
    // weights that need them.
    if (tap == 0 && chunk + 1 < chunks) fetch_a(chunk + 1);
    hardware::copies_commit();
    const uint4* a = a_stages + (chunk & 1) * a_stage;
    const uint4* b = b_stages + turn % STAGES * B_STAGE;
    int rows[MT];
#pragma unroll
    for (int i = 0; i < MT; ++i) rows[i] = base[i] + tap_rows[tap];
    product.add(a, rows, b, warp_n, 0);
    if (chunk * CHUNK + 2 < s.units) product.add(a, rows, b, warp_n, 1);
    if (++tap == s.taps) tap = 0, ++chunk;
  }
  product.write(s.y, bias, y, blockIdx.y * BN + warp_n + lane % 4 * 2 * NT, [&](int r) {
    r += warp_m;
    int column = column0 + r % s.box_columns, row = row0 + r / s.box_columns % s.box_rows;
    int frame = frame0 + r / s.box_columns / s.box_rows;
    bool there = frame < s.y.frames && row < s.y.height && column < s.y.width;
    return there ? ((sample * s.y.frames + frame) * s.y.height + row) * s.y.width + column : -1;
  });
}

#define GATHER(name, Math, BN, WARPS_M, WARPS_N, STAGES)                                                          \
  extern "C" __global__ void __launch_bounds__(32 * WARPS_M * WARPS_N)                                            \
      name(Gather s, const Math::T* x, const uint4* weights, const float* bias, const int* taps, void* y) {       \
    gather<Math, BN, WARPS_M, WARPS_N, STAGES>(s, x, weights, bias, taps, y);                                     \
  }

#define TILE(name, Math, NT, WARPS_M, WARPS_N)                                                                    \
  extern "C" __global__ void __launch_bounds__(32 * WARPS_M * WARPS_N)                                            \
      name(Tile s, const Math::T* x, const uint4* weights, const float* bias, const int* taps, void* y) {         \
    tile<Math, NT, WARPS_M, WARPS_N>(s, x, weights, bias, taps, y);                                               \
  }

// Blocks of 128, 64 and 16 channels, as block.rs knows them.
#define GATHERS(arithmetic, Math)                     \
  GATHER(gather_##arithmetic##_128, Math, 128, 2, 4, 3) \
  GATHER(gather_##arithmetic##_64, Math, 64, 2, 2, 4)   \
  GATHER(gather_##arithmetic##_16, Math, 16, 4, 1, 4)
