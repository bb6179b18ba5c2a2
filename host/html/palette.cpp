#include <host/html/palette.hpp>

namespace nephron::host {

Rgb rgb_of(Paint paint) {
  // Okabe and Ito, Color Universal Design (2008).
  constexpr std::array<Rgb, series_colours> series{
      {{0, 114, 178}, {213, 94, 0}, {0, 158, 115}, {204, 121, 167}, {230, 159, 0}, {86, 180, 233}}};
  switch (paint.of) {
    case Paint::Of::ground:
      return {255, 255, 255};
    case Paint::Of::ink:
      return {22, 24, 29};
    case Paint::Of::soft:
      return {85, 91, 104};
    case Paint::Of::axis:
      return {150, 154, 162};
    case Paint::Of::grid:
      return {232, 233, 236};
    case Paint::Of::series:
      return series.at(static_cast<std::size_t>(paint.number % series_colours));
  }
  return {};
}

std::vector<double> dashes_of(int series) {
  switch (series % 4) {
    case 1:
      return {9, 4};
    case 2:
      return {3, 3};
    case 3:
      return {12, 3, 2, 3};
    default:
      return {};
  }
}

}  // namespace nephron::host
