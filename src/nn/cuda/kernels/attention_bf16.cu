#include "attention.cuh"

ATTENDS(bf16, Bf16)
// From rows, and from the tokens' keys, which are f32.
PACK_KEYS(bf16, __nv_bfloat16, __nv_bfloat16)
PACK_KEYS(f32_bf16, float, __nv_bfloat16)
