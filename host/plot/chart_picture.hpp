#pragma once

#include <nephron/image.hpp>

#include <host/html/chart.hpp>

namespace nephron::host {

/// draw_picture() as RGB pixels, `width` of them wide.
Image chart_picture(const Chart& chart, int width);

}  // namespace nephron::host
