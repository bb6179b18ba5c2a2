#pragma once

#include <string>
#include <vector>

#include <host/config/experiment.hpp>
#include <host/data/findings.hpp>
#include <host/feed/feed.hpp>
#include <host/train/batch_preview.hpp>

namespace nephron::host {

/// A slide's picture, 480 px at most: labels outlined in the colours of data preview, tissue in grey.
Image slide_thumbnail(const PreparedSlide& slide, int classes);

/// Which colour outlines which class, and, where there are any, tissue and what is ignored.
std::string class_legend(const std::vector<std::string>& classes, bool tissue, bool ignores);

/// Samples that a page shows.
struct PreviewRange {
  std::uint64_t epoch = 0;
  std::int64_t windows = 0;
};

/// The page of `data preview`: what stands in which fold, group and donor, counts of classes, thumbnails, shares of
/// samples, windows without and with their augmentations, the first `batch` after what changes whole batches, and what
/// was `said` of the data.
std::string data_page(const Experiment& experiment, const PreparedData& data, const Feed& feed,
                      const PreviewRange& range, const std::vector<BatchPicture>& batch, const Findings& said);

}  // namespace nephron::host
