#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <c10/core/Device.h>

namespace nephron::host {

/// One kernel beside its own body in a loop on the CPU, on the same random numbers.
struct KernelCheck {
  std::string name;
  std::int64_t elements = 0;
  double difference = 0;  ///< the greatest of all elements
  double allowed = 0;     ///< 0: bodies give the same bits
};

/// Runs every kernel of libnephron_cuda.so on a device. On a CPU it compares the loops with themselves, which shows
/// that they are functions of their input.
std::vector<KernelCheck> check_kernels(c10::Device device);

}  // namespace nephron::host
