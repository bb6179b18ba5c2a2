#include <host/plot/chart_picture.hpp>

#include <host/plot/raster_canvas.hpp>

namespace nephron::host {

Image chart_picture(const Chart& chart, int width) {
  RasterCanvas canvas({picture_width, picture_height}, width / picture_width);
  draw_picture(chart, canvas);
  return canvas.picture();
}

}  // namespace nephron::host
