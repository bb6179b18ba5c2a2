#pragma once

#include <string>
#include <vector>

#include <host/config/experiment.hpp>
#include <host/feed/feed.hpp>
#include <host/feed/findings.hpp>

namespace nephron::host {

/// A slide's picture, 480 px at most: labels outlined in the colours of data preview, tissue in grey.
Image slide_thumbnail(const PreparedSlide& slide, int classes);

/// The page of `data preview`: what stands in which fold, group and donor, counts of classes, thumbnails, shares of
/// samples, the windows of `sheet`, and what was `said` of the data.
std::string data_page(const Experiment& experiment, const PreparedData& data, const Feed& feed, const Image& sheet,
                      const Findings& said);

}  // namespace nephron::host
