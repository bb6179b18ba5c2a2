#pragma once

#include <memory>

#include <host/labels/painter.hpp>
#include <host/store/label_map.hpp>

namespace nephron::host {

/// The labels of a filled painter, as the store takes them.
LabelSource source_of(std::shared_ptr<const LabelPainter> painter);

}  // namespace nephron::host
