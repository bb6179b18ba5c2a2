#include <host/store/label_copy.hpp>

#include <algorithm>

#include <nephron/error.hpp>
#include <nephron/label_pixels.hpp>

namespace nephron::host {

void fill_labels(const ImageView& labels, std::uint32_t bits) {
  with_label_type(labels.depth, [&](auto zero) {
    using T = decltype(zero);
    for (std::int64_t y = 0; y < labels.height; ++y) std::fill_n(labels.row<T>(y), labels.width, static_cast<T>(bits));
  });
}

void widen_labels(const ImageView& from, const ImageView& to) {
  if (from.depth == to.depth) return copy(from, to);
  if (from.size() != to.size() || from.channels != 1 || to.channels != 1 || bytes_of(from.depth) > bytes_of(to.depth))
    throw Error("labels of " + std::to_string(8 * bytes_of(from.depth)) + " bits do not fit into a map of " +
                std::to_string(8 * bytes_of(to.depth)) + " bits, or not into its size");
  with_label_type(from.depth, [&](auto narrow) {
    with_label_type(to.depth, [&](auto wide) {
      for (std::int64_t y = 0; y < from.height; ++y)
        std::transform(from.row<const decltype(narrow)>(y), from.row<const decltype(narrow)>(y) + from.width,
                       to.row<decltype(wide)>(y), [](auto value) { return static_cast<decltype(wide)>(value); });
    });
  });
}

}  // namespace nephron::host
