// Products of small matrices in f32, outside the tensor cores: resizing, frames in between, what the EF
// tokens attend to. None of them is in a denoising step.

constexpr int SIDE = 16;

// c[i] = a[i] b[i], of m x k and k x p; an operand that is `one` is the same for every i. A block computes
// SIDE x SIDE results.
extern "C" __global__ void __launch_bounds__(SIDE* SIDE)
    matmul_f32(const float* a, const float* b, float* c, int m, int k, int p, int one_a, int one_b) {
  __shared__ float rows[SIDE][SIDE + 1], columns[SIDE][SIDE + 1];
  const long long i = blockIdx.z;
  const int x = threadIdx.x % SIDE, y = threadIdx.x / SIDE;
  const int row = blockIdx.x * SIDE + y, column = blockIdx.y * SIDE + x;
  if (!one_a) a += i * m * k;
  if (!one_b) b += i * k * p;
  float sum = 0;
  for (int first = 0; first < k; first += SIDE) {
    rows[y][x] = row < m && first + x < k ? a[static_cast<long long>(row) * k + first + x] : 0.0f;
    columns[y][x] = column < p && first + y < k ? b[static_cast<long long>(first + y) * p + column] : 0.0f;
    __syncthreads();
#pragma unroll
    for (int j = 0; j < SIDE; ++j) sum = fmaf(rows[y][j], columns[j][x], sum);
    __syncthreads();
  }
  if (row < m && column < p) c[(i * m + row) * p + column] = sum;
}
