// Half precision as far as Candle's kernels must be parsed; none that takes it is run.
#pragma once
struct __half {
  float value;
  __half(float x = 0) : value(x) {}
  operator float() const { return value; }
};
inline float __half2float(__half x) { return x.value; }
inline __half __float2half(float x) { return {x}; }
inline bool __hisnan(__half x) { return x.value != x.value; }
inline __half __hmax(__half a, __half b) { return a.value < b.value ? b : a; }
inline __half __hmin(__half a, __half b) { return b.value < a.value ? b : a; }
inline __half __hmax_nan(__half a, __half b) { return __hmax(a, b); }
inline __half __hmin_nan(__half a, __half b) { return __hmin(a, b); }
inline unsigned short __half_as_ushort(__half) { return 0; }
inline __half __ushort_as_half(unsigned short) { return {0}; }
