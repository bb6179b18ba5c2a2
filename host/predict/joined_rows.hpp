#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <nephron/image.hpp>

#include <host/predict/enlarged_rows.hpp>
#include <host/predict/kept_rows.hpp>
#include <host/tiling/tile_source.hpp>

namespace nephron::host {

/// What one run said of a picture.
struct SaidRows {
  KeptRows* rows = nullptr;  ///< of the whole picture, at any size
  double share = 1;
};

/// Joins what several runs said: their probabilities, enlarged to `size`, are averaged by their shares. With a `vote`,
/// each says 1 where its own exceeds that threshold and 0 elsewhere. Memory: a few rows a run.
void join_rows(std::vector<SaidRows> runs, Size size, int classes, std::optional<double> vote, ProbabilitySink& sink);

}  // namespace nephron::host
