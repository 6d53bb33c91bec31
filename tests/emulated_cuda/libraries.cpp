// cuBLAS as far as Candle calls it (column-major products of f32), and cuRAND, which only has to be
// there.

#include <cstddef>
#include <cstdint>
#include <cstdio>

namespace emulated {
int submit_call(void* stream, void (*call)(const void*), const void* data, size_t bytes);
}

#define API extern "C" __attribute__((visibility("default"))) int

namespace {

struct Handle { void* stream = nullptr; };

struct Product {
  bool ta, tb;
  int m, n, k, lda, ldb, ldc, batch;
  float alpha, beta;
  const float *a, *b;
  float* c;
  long long sa, sb, sc;
};

void multiply(const void* data) {
  const auto& p = *static_cast<const Product*>(data);
  for (int i = 0; i < p.batch; ++i) {
    const float *a = p.a + i * p.sa, *b = p.b + i * p.sb;
    float* c = p.c + i * p.sc;
    for (int col = 0; col < p.n; ++col)
      for (int row = 0; row < p.m; ++row) {
        float sum = 0;
        for (int k = 0; k < p.k; ++k) {
          float x = p.ta ? a[row * size_t(p.lda) + k] : a[k * size_t(p.lda) + row];
          float y = p.tb ? b[k * size_t(p.ldb) + col] : b[col * size_t(p.ldb) + k];
          sum += x * y;
        }
        float& out = c[col * size_t(p.ldc) + row];
        out = p.alpha * sum + (p.beta == 0 ? 0 : p.beta * out);
      }
  }
}

}  // namespace

API cublasCreate_v2(void** h) { *h = new Handle; return 0; }
API cublasDestroy_v2(void* h) { delete static_cast<Handle*>(h); return 0; }
API cublasSetStream_v2(void* h, void* s) { static_cast<Handle*>(h)->stream = s; return 0; }
API cublasSetPointerMode_v2(void*, int) { return 0; }
API cublasSetWorkspace_v2(void*, void*, size_t) { return 0; }
API cublasGemmStridedBatchedEx(void* h, int ta, int tb, int m, int n, int k, const void* alpha, const void* a, int type_a, int lda, long long sa, const void* b, int type_b, int ldb, long long sb, const void* beta, void* c, int type_c, int ldc, long long sc, int batch, int, int) {
  if (type_a || type_b || type_c) {
    std::fprintf(stderr, "emulated CUDA: a product of other values than f32\n");
    return 15;
  }
  Product p{ta != 0, tb != 0, m, n, k, lda, ldb, ldc, batch, *static_cast<const float*>(alpha), *static_cast<const float*>(beta), static_cast<const float*>(a), static_cast<const float*>(b), static_cast<float*>(c), sa, sb, sc};
  return emulated::submit_call(static_cast<Handle*>(h)->stream, multiply, &p, sizeof p);
}

API curandCreateGenerator(void** g, int) { *g = new int; return 0; }
API curandDestroyGenerator(void* g) { delete static_cast<int*>(g); return 0; }
API curandSetPseudoRandomGeneratorSeed(void*, unsigned long long) { return 0; }
API curandSetStream(void*, void*) { return 0; }
