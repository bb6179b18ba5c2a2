#pragma once

#include <string>
#include <vector>

#include <host/config/experiment.hpp>
#include <host/feed/chain_preview.hpp>

namespace nephron::host {

/// The page of `augment preview`: a row for each chain, the original beside what was drawn. `about`: what the picture
/// is; pictures are at most `side` px wide.
std::string augment_page(const Experiment& experiment, const std::vector<PreviewRow>& rows, const std::string& about,
                         std::int64_t side);

}  // namespace nephron::host
