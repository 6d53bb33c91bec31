// A frame carried along a motion: every pixel is fetched from where its tissue lies in the anatomy, by the
// cubic B-spline through it, and what lies outside the sector stays.

#include "device.cuh"

constexpr int THREADS = 256;
// Cells of a motion along an edge, and the side of the frame in whose pixels it is given.
constexpr int CELLS = 28;
constexpr float REFERENCE_SIDE = 112.0f;

// Between which two cells a pixel lies: pixel centres lie at half pixels, and beyond the outermost cells'
// centres their value stays.
struct Tap {
  int low, high;
  float share;
};
__device__ __forceinline__ Tap tap_of(int pixel, int side) {
  // 28 (pixel + 1/2) / side - 1/2 as one fraction: exact but for one division.
  float at = static_cast<float>(CELLS * (2 * pixel + 1) - side) / static_cast<float>(2 * side);
  at = fminf(fmaxf(at, 0.0f), CELLS - 1.0f);
  int low = static_cast<int>(at);
  return {low, low + 1 < CELLS ? low + 1 : low, at - low};
}

// The cubic B-spline at the four coefficients about a place, which lies t behind the second.
__device__ __forceinline__ void spline_weights(float (&w)[4], float t) {
  float u = 1.0f - t;
  w[0] = u * u * u * (1.0f / 6.0f);
  w[1] = fmaf(t * t, fmaf(0.5f, t, -1.0f), 2.0f / 3.0f);
  w[2] = fmaf(u * u, fmaf(0.5f, u, -1.0f), 2.0f / 3.0f);
  w[3] = t * t * t * (1.0f / 6.0f);
}

// `coefficients` [planes][side + 2 margin][side + 2 margin]; `share` [side][side], how much of the carried
// tissue a pixel shows, 0 outside the sector; `frame` [planes][side][side]; `motion` [frames][28][28][2], x
// and y to a pixel's place in the anatomy; `out` [planes][frames][side][side]. A thread a pixel of a frame,
// in all planes.
extern "C" __global__ void __launch_bounds__(THREADS)
    carry(const float* __restrict__ coefficients, const float* __restrict__ share, const float* __restrict__ frame,
          const float* __restrict__ motion, float* __restrict__ out, int planes, int side, int margin) {
  const int size = side * side, pixel = blockIdx.x * THREADS + threadIdx.x;
  if (pixel >= size) return;
  const long long frames = gridDim.y, t = blockIdx.y;
  out += t * size + pixel;
  frame += pixel;
  const float shown = __ldg(share + pixel);
  if (shown == 0.0f) {
    for (int c = 0; c < planes; ++c) out[c * frames * size] = __ldg(frame + static_cast<long long>(c) * size);
    return;
  }
  const int x = pixel % side, y = pixel / side;
  const Tap across = tap_of(x, side), down = tap_of(y, side);
  const float* upper = motion + (t * CELLS + down.low) * CELLS * 2;
  const float* lower = motion + (t * CELLS + down.high) * CELLS * 2;
  const int wide = side + 2 * margin;
  float place[2] = {static_cast<float>(x + margin), static_cast<float>(y + margin)};
#pragma unroll
  for (int k = 0; k < 2; ++k) {
    float a = __ldg(upper + 2 * across.low + k), b = __ldg(upper + 2 * across.high + k);
    float c = __ldg(lower + 2 * across.low + k), d = __ldg(lower + 2 * across.high + k);
    a = fmaf(down.share, c - a, a), b = fmaf(down.share, d - b, b);
    place[k] = fmaf(side / REFERENCE_SIDE, fmaf(across.share, b - a, a), place[k]);
    // Beyond the margin the outermost values go on.
    place[k] = fminf(fmaxf(place[k], 1.0f), wide - 3 - 1e-3f);
  }
  const int column = static_cast<int>(place[0]), row = static_cast<int>(place[1]);
  float wx[4], wy[4];
  spline_weights(wx, place[0] - column);
  spline_weights(wy, place[1] - row);
  const float* first = coefficients + static_cast<long long>(row - 1) * wide + column - 1;
  for (int c = 0; c < planes; ++c) {
    const float* from = first + static_cast<long long>(c) * wide * wide;
    float value = 0.0f;
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      const float* at = from + j * wide;
      float sum = wx[0] * __ldg(at);
#pragma unroll
      for (int i = 1; i < 4; ++i) sum = fmaf(wx[i], __ldg(at + i), sum);
      value = fmaf(wy[j], sum, value);
    }
    value = fminf(fmaxf(value, 0.0f), 1.0f);
    const float own = __ldg(frame + static_cast<long long>(c) * size);
    out[c * frames * size] = fmaf(shown, value - own, own);
  }
}
