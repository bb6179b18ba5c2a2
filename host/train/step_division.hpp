#pragma once

#include <functional>
#include <string>
#include <vector>

namespace nephron::host {

/// Seconds of a step, by what they were spent on.
struct StepPart {
  std::string name;
  double seconds = 0;
};
/// Convolutions of one shape in one direction; on a CPU.
struct ConvolutionPart {
  std::string shape;   ///< as oneDNN writes it, with direction and kernel
  double seconds = 0;  ///< a step
  double gflops_per_s = 0;
};
struct StepDivision {
  double seconds = 0;                         ///< a step, while it is watched
  std::vector<StepPart> parts;                ///< they sum to it
  std::vector<ConvolutionPart> convolutions;  ///< longest first
};

/// Runs `step` that many times and says how it divides: LibTorch's operators by their names, on the thread that calls
/// them, and of convolutions what oneDNN says that it ran. On CUDA operators are only started, so that it means little.
StepDivision divide_steps(int steps, const std::function<void()>& step);

/// As a table, on stdout.
void print_division(const StepDivision& division);

}  // namespace nephron::host
