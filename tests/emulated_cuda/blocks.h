// Runs the blocks of a launch.
#pragma once
#include "emulated.h"

namespace emulated {

struct Launch {
  const Kernel* kernel;
  dim3 grid, block;
  unsigned shared_bytes;
  // Each argument's bytes, one after the other.
  std::vector<std::vector<unsigned char>> arguments;
};

void run(const Launch&);

}  // namespace emulated
