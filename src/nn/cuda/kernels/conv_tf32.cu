#include "conv.cuh"

GATHERS(tf32, Tf32)
TILE(tile_tf32_128, Tf32, 8, 2, 2)
TILE(tile_tf32_64, Tf32, 8, 4, 1)
TILE(tile_tf32_16, Tf32, 2, 4, 1)
