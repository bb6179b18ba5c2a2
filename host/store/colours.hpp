#pragma once

#include <functional>
#include <optional>

#include <nephron/slide_colours.hpp>

#include <host/store/tissue.hpp>

namespace nephron::host {

/// Fills a region of a level, u8 RGB, which lies inside of it.
using ReadLevel = std::function<void(const Region&, const ImageView&)>;

/// The colours of a level's tissue: of all of its pixels up to 65,536, of that many in small squares spread evenly
/// over the tissue where there are more. Nothing where fewer than 100 pixels are tissue that takes light away.
std::optional<SlideColours> measure_colours(Size level, const Tissue& tissue, const ReadLevel& read);

}  // namespace nephron::host
