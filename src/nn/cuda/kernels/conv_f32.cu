#include "conv.cuh"

GATHERS(f32, F32)
// Both parts of every factor have to be in registers: half as many channels a warp.
TILE(tile_f32_128, F32, 4, 2, 4)
TILE(tile_f32_64, F32, 4, 2, 2)
TILE(tile_f32_16, F32, 2, 2, 1)
