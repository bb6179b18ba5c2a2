#pragma once

#include <string>
#include <vector>

namespace nephron::host {

/// What oneDNN ran: one primitive.
struct OneDnnCall {
  std::string kind;       ///< "convolution", "reorder"
  std::string direction;  ///< "forward_training", "backward_data", "backward_weights"
  std::string kernel;     ///< "jit:avx2"
  std::string shape;      ///< "mb8_ic64oc64_ih64oh64kh3..."
  double seconds = 0;
};

/// Reads the lines that oneDNN prints when it is told to; others are left out.
std::vector<OneDnnCall> onednn_calls(const std::string& text);

/// Multiplications and additions of a convolution of that shape, 1e9 of them.
double gflops_of(const std::string& shape);

/// While it lives, oneDNN tells what it runs, and what the program prints is kept in place of being shown.
class OneDnnLog {
 public:
  OneDnnLog();
  ~OneDnnLog();
  OneDnnLog(const OneDnnLog&) = delete;
  OneDnnLog& operator=(const OneDnnLog&) = delete;
  /// Ends it, and returns what was printed.
  std::string finish();

 private:
  int file_ = -1, shown_ = -1;
};

}  // namespace nephron::host
