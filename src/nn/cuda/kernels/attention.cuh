// Attention, a tile of queries at a time, without the matrix of scores (Dao, *FlashAttention-2*, 2023):
// scores and sums of a tile stay in registers while its keys pass by.
//
// Queries come scaled, in rows of `q_stride` with head after head; results go to rows of `out_stride`,
// which may be the queries' own.

#include "device.cuh"

constexpr int KEYS = 64;
constexpr float NEVER = -1e30f;

// The greatest, or the sum, over the four lanes that share a row of a product.
__device__ __forceinline__ float quad_max(float v) {
  v = fmaxf(v, __shfl_xor_sync(0xffffffff, v, 1));
  return fmaxf(v, __shfl_xor_sync(0xffffffff, v, 2));
}
__device__ __forceinline__ float quad_sum(float v) {
  v += __shfl_xor_sync(0xffffffff, v, 1);
  return v + __shfl_xor_sync(0xffffffff, v, 2);
}

// A warp's sixteen queries, and what they have gathered.
template <class Math, int D>
struct Queries {
  using T = typename Math::T;
  // Rows in shared memory are an odd number of units long: eight of them are read at once.
  static constexpr int K_ROW = D * sizeof(T) + UNIT;
  static constexpr int STEPS = D * sizeof(T) / STEP;
  static constexpr int TILES_A_STEP = STEP / sizeof(T) / 8;

  unsigned q[STEPS][4];
  float most[2], whole[2];
  float sum[D / 8][4];

  __device__ __forceinline__ void begin() {
#pragma unroll
    for (int half = 0; half < 2; ++half) most[half] = NEVER, whole[half] = 0.0f;
#pragma unroll
    for (int j = 0; j < D / 8; ++j)
#pragma unroll
      for (int i = 0; i < 4; ++i) sum[j][i] = 0.0f;
  }

  // Rows g and g + 8 of this lane, or none.
  __device__ __forceinline__ void take(const T* row0, const T* row1) {
    const int t = threadIdx.x % 4;
#pragma unroll
    for (int step = 0; step < STEPS; ++step) {
      auto word = [&](const T* row, int at) { return row ? reinterpret_cast<const unsigned*>(row)[8 * step + at] : 0u; };
      q[step][0] = word(row0, t), q[step][1] = word(row1, t);
      q[step][2] = word(row0, t + 4), q[step][3] = word(row1, t + 4);
    }
  }

  // Scores of keys 8 j .. 8 j + 15 of a tile in shared memory.
  __device__ __forceinline__ void score(const unsigned char* keys, int j, float (*scores)[4]) {
    const int lane = threadIdx.x % 32;
#pragma unroll
    for (int i = 0; i < 4; ++i) scores[0][i] = scores[1][i] = 0.0f;
#pragma unroll
    for (int step = 0; step < STEPS; ++step) {
      unsigned word[4];
      int row = 8 * j + lane % 8 + lane / 16 * 8;
      hardware::load_matrices(word, keys + row * K_ROW + step * STEP + lane / 8 % 2 * UNIT);
      unsigned word0[2] = {word[0], word[1]}, word1[2] = {word[2], word[3]};
      auto left = Math::operand(q[step]);
      Math::add_product(scores[0], left, Math::operand(word0));
      Math::add_product(scores[1], left, Math::operand(word1));
    }
  }

  // From scores to weights, and what was gathered before rescaled.
  template <int TILES>
  __device__ __forceinline__ void weigh(float (&scores)[TILES][4]) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      float top = most[half];
#pragma unroll
      for (int j = 0; j < TILES; ++j) top = fmaxf(top, fmaxf(scores[j][2 * half], scores[j][2 * half + 1]));
      top = quad_max(top);
      float keep = __expf(most[half] - top), added = 0.0f;
#pragma unroll
      for (int j = 0; j < TILES; ++j)
#pragma unroll
        for (int e = 0; e < 2; ++e) {
          float& s = scores[j][2 * half + e];
          s = s <= NEVER ? 0.0f : __expf(s - top);
          added += s;
        }
      most[half] = top;
      whole[half] = whole[half] * keep + added;
#pragma unroll
      for (int j = 0; j < D / 8; ++j) sum[j][2 * half] *= keep, sum[j][2 * half + 1] *= keep;
    }
  }

  // Adds the values of one step's keys; `values` is [d][key], keys in their `place`.
  __device__ __forceinline__ void gather(const unsigned char* values, int row_bytes, int step, const float (*weights)[4]) {
    const int lane = threadIdx.x % 32;
    auto left = chained(Math(), weights);
#pragma unroll
    for (int j = 0; j < D / 8; j += 2) {
      unsigned word[4];
      int row = 8 * j + lane % 8 + lane / 16 * 8;
      hardware::load_matrices(word, values + row * row_bytes + step * STEP + lane / 8 % 2 * UNIT);
      unsigned word0[2] = {word[0], word[1]}, word1[2] = {word[2], word[3]};
      Math::add_product(sum[j], left, Math::operand(word0));
      Math::add_product(sum[j + 1], left, Math::operand(word1));
    }
  }

  __device__ __forceinline__ void give(T* row0, T* row1) {
    const int t = threadIdx.x % 4;
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      float share = 1.0f / quad_sum(whole[half]);
      T* row = half ? row1 : row0;
      if (!row) continue;
#pragma unroll
      for (int j = 0; j < D / 8; ++j) {
        store(row + 8 * j + 2 * t, sum[j][2 * half] * share);
        store(row + 8 * j + 2 * t + 1, sum[j][2 * half + 1] * share);
      }
    }
  }
};

// Keys and values as `attend` reads them: keys [batch and head][padded][D], values [..][D][padded], the
// null key behind the others, zeros behind that.
struct Keys {
  // Elements from one sample, head and key to the next, and from a key to its value.
  long long batch_stride, head_stride, key_stride, to_value;
  int keys, padded, heads, width;
};

template <class From, class T>
__device__ __forceinline__ void pack_keys(const Keys& s, const From* __restrict__ from, const float* __restrict__ null_kv,
                                          T* __restrict__ keys, T* __restrict__ values, int total) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= total) return;
  int d = i % s.width, j = i / s.width % s.padded, bh = i / s.width / s.padded;
  float k = 0, v = 0;
  if (j < s.keys) {
    const From* at = from + bh / s.heads * s.batch_stride + bh % s.heads * s.head_stride + j * s.key_stride + d;
    k = load(at), v = load(at + s.to_value);
  } else if (j == s.keys) {
    k = null_kv[d], v = null_kv[s.width + d];
  }
  store(keys + i, k);
  store(values + (static_cast<long long>(bh) * s.width + d) * s.padded + place<T>(j), v);
}

struct Attend {
  int queries, keys, padded, heads, kv_heads, q_stride, out_stride;
};

template <class Math, int D, int WARPS>
__device__ __forceinline__ void attend(const Attend& s, const typename Math::T* q,
                                       const typename Math::T* __restrict__ keys,
                                       const typename Math::T* __restrict__ values, typename Math::T* out) {
  using T = typename Math::T;
  using Q = Queries<Math, D>;
  constexpr int V_ROW = KEYS * sizeof(T) + UNIT;
  constexpr int TILE = KEYS * Q::K_ROW + D * V_ROW;
  constexpr int BUFFERS = sizeof(T) == 2 ? 2 : 1;
  SHARED_MEMORY(shared);
  const int warp = threadIdx.x / 32, g = threadIdx.x % 32 / 4, t = threadIdx.x % 4;
  const int head = blockIdx.y, sample = blockIdx.z;
  const long long bh = static_cast<long long>(sample) * s.kv_heads + (s.kv_heads == 1 ? 0 : head);
  keys += bh * s.padded * D, values += bh * s.padded * D;

  auto row = [&](auto* base, int half, int stride) {
    int r = (blockIdx.x * WARPS + warp) * 16 + 8 * half + g;
    return r < s.queries ? base + (static_cast<long long>(sample) * s.queries + r) * stride + head * D : nullptr;
  };
  Q mine;
  mine.begin();
  mine.take(row(q, 0, s.q_stride), row(q, 1, s.q_stride));

  auto fetch = [&](int block) {
    unsigned char* k = shared + block % BUFFERS * TILE;
    unsigned char* v = k + KEYS * Q::K_ROW;
    constexpr int K_UNITS = D * sizeof(T) / UNIT, V_UNITS = KEYS * sizeof(T) / UNIT;
    for (int i = threadIdx.x; i < KEYS * K_UNITS; i += 32 * WARPS) {
      const T* from = keys + static_cast<long long>(block * KEYS + i / K_UNITS) * D;
      hardware::copy_async(k + i / K_UNITS * Q::K_ROW + i % K_UNITS * UNIT,
                           reinterpret_cast<const unsigned char*>(from) + i % K_UNITS * UNIT, true);
    }
    for (int i = threadIdx.x; i < D * V_UNITS; i += 32 * WARPS) {
      const T* from = values + static_cast<long long>(i / V_UNITS) * s.padded + block * KEYS;
      hardware::copy_async(v + i / V_UNITS * V_ROW + i % V_UNITS * UNIT,
                           reinterpret_cast<const unsigned char*>(from) + i % V_UNITS * UNIT, true);
    }
    hardware::copies_commit();
  };

  const int blocks = s.padded / KEYS;
  if (BUFFERS == 2) fetch(0);
  for (int block = 0; block < blocks; ++block) {
    if (BUFFERS == 1) {
      fetch(block);
      hardware::copies_wait<0>();
    } else if (block + 1 < blocks) {
      fetch(block + 1);
      hardware::copies_wait<1>();
    } else {
      hardware::copies_wait<0>();
    }
    __syncthreads();
    const unsigned char* k = shared + block % BUFFERS * TILE;
    float scores[KEYS / 8][4];
#pragma unroll
    for (int j = 0; j < KEYS / 8; j += 2) mine.score(k, j, scores + j);
    if ((block + 1) * KEYS > s.keys) {
#pragma unroll
      for (int j = 0; j < KEYS / 8; ++j)
#pragma unroll
        for (int i = 0; i < 4; ++i)
          if (block * KEYS + 8 * j + 2 * t + i % 2 >= s.keys) scores[j][i] = NEVER;
    }
    mine.weigh(scores);
#pragma unroll
    for (int step = 0; step < KEYS / 8 / Q::TILES_A_STEP; ++step)
      mine.gather(k + KEYS * Q::K_ROW, V_ROW, step, scores + step * Q::TILES_A_STEP);
    __syncthreads();
  }
  mine.give(row(out, 0, s.out_stride), row(out, 1, s.out_stride));
}

// Causal attention over the frames of every pixel, with a bias by distance in frames and a null key.
struct Frames {
  int frames, size, heads;
  // Elements of a row, and where its key begins; its value is behind the key.
  int stride, key_offset;
};

// A block takes sixty-four rows: the frames of as many pixels as fit, or a part of one pixel's. In the
// rows' own place the queries become the results. `bias` [head][distance]; `null_bias` [head].
template <class Math, int D>
__device__ __forceinline__ void attend_frames(const Frames& s, typename Math::T* rows, const float* __restrict__ null_kv,
                                              const float* __restrict__ bias, const float* __restrict__ null_bias,
                                              int queries_offset) {
  using T = typename Math::T;
  using Q = Queries<Math, D>;
  constexpr int ROWS = 64, ALL = ROWS + 16, THREADS = 128;
  constexpr int V_ROW = ALL * sizeof(T) + UNIT;
  SHARED_MEMORY(shared);
  unsigned char* keys = shared;
  unsigned char* values = keys + ALL * Q::K_ROW;
  auto* key_places = reinterpret_cast<int*>(values + D * V_ROW);
  auto* distance_bias = reinterpret_cast<float*>(key_places + ROWS);

  const int thread = threadIdx.x, warp = thread / 32, lane = thread % 32, g = lane / 4, t = lane % 4;
  const bool together = s.frames <= ROWS;
  const int pixels = together ? ROWS / s.frames : 1;
  const int parts = together ? 1 : (s.frames + ROWS - 1) / ROWS;
  const int first_pixel = blockIdx.x / parts * pixels, part = blockIdx.x % parts;
  // A row of a tile as one number: the difference of two is their distance in frames where they are of one
  // pixel, and out of range where they are not.
  constexpr int OTHER_PIXEL = 1 << 12, NO_QUERY = -(1 << 28), NO_KEY = 1 << 28;
  auto place_of = [&](int r, int of_part, int& slot, int& frame) {
    slot = together ? r / s.frames : 0;
    frame = together ? r % s.frames : of_part * ROWS + r;
    return slot < pixels && first_pixel + slot < s.size && frame < s.frames;
  };
  auto at = [&](int slot, int frame) {
    long long position = (static_cast<long long>(blockIdx.y) * s.frames + frame) * s.size + first_pixel + slot;
    return rows + position * s.stride;
  };

  for (int i = thread; i < s.heads * s.frames; i += THREADS) distance_bias[i] = bias[i];
  // The null key, and zeros up to the step's end.
  for (int i = thread; i < (ALL - ROWS) * D; i += THREADS) {
    int j = ROWS + i / D, d = i % D;
    store(reinterpret_cast<T*>(keys + j * Q::K_ROW) + d, j == ROWS ? null_kv[d] : 0.0f);
    store(reinterpret_cast<T*>(values + d * V_ROW) + place<T>(j), j == ROWS ? null_kv[D + d] : 0.0f);
  }

  // With several parts the keys pass by again for every head.
  auto fetch = [&](int of_part) {
    constexpr int UNITS = D * sizeof(T) / UNIT, V = UNIT / sizeof(T);
    for (int i = thread; i < ROWS * UNITS; i += THREADS) {
      int r = i / UNITS, u = i % UNITS, slot, frame;
      bool valid = place_of(r, of_part, slot, frame);
      if (u == 0) key_places[r] = valid ? slot * OTHER_PIXEL + frame : NO_KEY;
      const T* from = valid ? at(slot, frame) + s.key_offset + u * V : rows;
      hardware::copy_async(keys + r * Q::K_ROW + u * UNIT, from, valid);
      float v[V] = {};
      if (valid) load_unit(v, from + D);
#pragma unroll
      for (int k = 0; k < V; ++k) store(reinterpret_cast<T*>(values + (u * V + k) * V_ROW) + place<T>(r), v[k]);
    }
    hardware::copies_commit();
    hardware::copies_wait<0>();
  };
  if (parts == 1) fetch(0);
  __syncthreads();

  // This lane's two rows.
  int query_place[2];
  T* query[2];
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    int slot, frame;
    bool valid = place_of(16 * warp + 8 * half + g, part, slot, frame);
    query_place[half] = valid ? slot * OTHER_PIXEL + frame : NO_QUERY;
    query[half] = valid ? at(slot, frame) + queries_offset : nullptr;
  }
  auto of_head = [&](int half, int head) { return query[half] ? query[half] + head * D : nullptr; };
  for (int head = 0; head < s.heads; ++head) {
    Q mine;
    mine.begin();
    mine.take(of_head(0, head), of_head(1, head));
    for (int block = 0; block <= part; ++block) {
      if (parts > 1) {
        __syncthreads();
        fetch(block);
        __syncthreads();
      }
      // Tiles that hold a key that one of this warp's rows may see.
      const int low = together ? 16 * warp / s.frames * s.frames / 16 * 2 : 0;
      const int high = block < part ? ROWS / 8 : 2 * warp + 2;
      float scores[ALL / 8][4];
#pragma unroll
      for (int j = 0; j < ALL / 8; j += 2) {
        bool null = j == ROWS / 8, seen = null ? block == 0 : j >= low && j < high;
        if (seen) mine.score(keys, j, scores + j);
#pragma unroll
        for (int k = 0; k < 2; ++k)
#pragma unroll
          for (int i = 0; i < 4; ++i) {
            float& score = scores[j + k][i];
            int key = 8 * (j + k) + 2 * t + i % 2;
            if (!seen) {
              score = NEVER;
            } else if (null) {
              score = key == ROWS ? score + __ldg(null_bias + head) : NEVER;
            } else {
              int distance = query_place[i / 2] - key_places[key];
              bool visible = 0 <= distance && distance < s.frames;
              score = visible ? score + distance_bias[head * s.frames + distance] : NEVER;
            }
          }
      }
      mine.weigh(scores);
#pragma unroll
      for (int step = 0; step < ALL / 8 / Q::TILES_A_STEP; ++step) {
        int j = step * Q::TILES_A_STEP & ~1;
        bool seen = j == ROWS / 8 ? block == 0 : j >= low && j < high;
        if (seen) mine.gather(values, V_ROW, step, scores + step * Q::TILES_A_STEP);
      }
    }
    mine.give(of_head(0, head), of_head(1, head));
  }
}

#define ATTEND(name, Math, D)                                                                                          \
  extern "C" __global__ void __launch_bounds__(256)                                                                    \
      attend_##name##_##D(Attend s, const Math::T* q, const Math::T* keys, const Math::T* values, Math::T* out) {      \
    attend<Math, D, 8>(s, q, keys, values, out);                                                                       \
  }                                                                                                                    \
  extern "C" __global__ void __launch_bounds__(128)                                                                    \
      attend_frames_##name##_##D(Frames s, Math::T* rows, const float* null_kv, const float* bias,                     \
                                 const float* null_bias, int queries_offset) {                                         \
    attend_frames<Math, D>(s, rows, null_kv, bias, null_bias, queries_offset);                                         \
  }

#define ATTENDS(name, Math) ATTEND(name, Math, 16) ATTEND(name, Math, 32) ATTEND(name, Math, 64)

#define PACK_KEYS(name, From, T)                                                                                       \
  extern "C" __global__ void pack_keys_##name(Keys s, const From* from, const float* null_kv, T* keys, T* values,      \
                                              int total) {                                                             \
    pack_keys<From, T>(s, from, null_kv, keys, values, total);                                                         \
  }
