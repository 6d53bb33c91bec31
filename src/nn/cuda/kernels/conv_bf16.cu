#include "conv.cuh"

GATHERS(bf16, Bf16)
TILE(tile_bf16_128, Bf16, 8, 2, 2)
TILE(tile_bf16_64, Bf16, 8, 4, 1)
TILE(tile_bf16_16, Bf16, 2, 4, 1)
