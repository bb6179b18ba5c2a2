#pragma once

#include <filesystem>
#include <string>

namespace nephron::host {

/// What `nephron bench-rle` measures: run lengths of two square masks (raw bytes, one a pixel), to text and back.
struct BenchRleRequest {
  std::filesystem::path truth;
  std::filesystem::path found;
  int repeats = 3;
};

/// One line of JSON with the keys of the Python peer: the fastest of the repeats. Throws Error.
std::string bench_rle(const BenchRleRequest& request);

}  // namespace nephron::host
