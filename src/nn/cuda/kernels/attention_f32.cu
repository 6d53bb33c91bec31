#include "attention.cuh"

ATTENDS(f32, F32)
PACK_KEYS(f32, float, float)
