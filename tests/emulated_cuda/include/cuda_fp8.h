// Eight-bit floats as far as Candle's kernels must be parsed; none that takes them is run.
#pragma once
#include "cuda_fp16.h"
struct __nv_fp8_e4m3 {
  unsigned char __x;
  explicit __nv_fp8_e4m3(float = 0) : __x(0) {}
};
enum { __NV_E4M3 };
inline __half __nv_cvt_fp8_to_halfraw(unsigned char, int) { return {0}; }
