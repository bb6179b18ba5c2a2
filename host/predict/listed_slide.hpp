#pragma once

#include <memory>

#include <nephron/slide.hpp>

#include <host/data/listing.hpp>
#include <host/predict/picture_truth.hpp>

namespace nephron::host {

/// Opens a slide of a dataset. Throws Error that names it.
std::shared_ptr<const SlideReader> open_listed(const Listing& listing, const Listing::Entry& entry);

bool is_annotated(const Listing& listing, const Listing::Entry& entry);

/// The annotation of a slide of this size; null where it has none. Throws Error that names the slide.
std::shared_ptr<const PictureTruth> truth_of_listed(const Listing& listing, const Listing::Entry& entry, Size size);

}  // namespace nephron::host
