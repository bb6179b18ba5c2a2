#pragma once

#include <string>

#include <host/report/validation_record.hpp>
#include <host/runs/run.hpp>

namespace nephron::host {

struct GalleryRequest {
  std::size_t most = 12;    ///< pictures a row
  std::int64_t side = 224;  ///< of a picture, px
  std::string validate;     ///< the command that saves outlines
};

/// The objects that networks were most wrong and most right about, each as a picture of its place with the outlines of
/// truth and prediction, its coordinates, and a link to the viewer. Where slides cannot be read any more, that is said
/// in the page and warned of.
std::string gallery_section(const RunFolder& run, const ValidationRecord& record, const GalleryRequest& request);

}  // namespace nephron::host
