#include "attention.cuh"

ATTENDS(tf32, Tf32)
PACK_KEYS(tf32, float, float)
