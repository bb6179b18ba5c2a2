#pragma once

#include <array>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <nephron/context.hpp>
#include <nephron/image.hpp>

#include <host/store/mapped_tiff.hpp>

namespace nephron::host {

/// Where the labels of a slide come from: any window of the map at 1/factor, u8. Called by several threads at once.
struct LabelSource {
  /// False when a region certainly holds no label; it need not be painted then.
  std::function<bool(int factor, const Region&)> touches;
  /// One bit a class. The window comes zeroed.
  std::function<void(int factor, const Region&, const ImageView&)> paint;
  std::vector<int> soft;  ///< classes that also have a probability map
  std::function<void(int class_index, int factor, const Region&, const ImageView&)> paint_soft;
};

struct WrittenLabels {
  std::int64_t bytes = 0;
  std::string digest;
  std::map<int, std::vector<std::int64_t>> foreground;  ///< by factor: pixels a class
};

/// Side of the blocks of the presence map.
constexpr std::int64_t presence_block = 16;

/// Writes labels at several reductions into one tiled TIFF whose blank tiles take no room: a picture of bits a factor,
/// a picture of presence a factor (a pixel is the union of the bits of 16 x 16, what samplers look up first), and a
/// picture a factor of each soft class. A file is a function of the labels alone, not of threads.
WrittenLabels write_labels(const std::filesystem::path& file, const LabelSource& source, Size full, double mpp,
                           const std::vector<int>& factors, const std::vector<std::string>& classes,
                           ThreadPool& threads);

/// The pictures of such a file, by their descriptions.
struct LabelPictures {
  /// Throws Error when the file's pictures are not those of a slide of this size.
  LabelPictures(const MappedTiff& file, const std::filesystem::path& name, Size full);
  static constexpr std::size_t none = ~std::size_t{0};
  struct Level {
    std::size_t bits = none, presence = none;
    std::map<int, std::size_t> soft;  ///< by class
  };
  std::map<int, Level> levels;  ///< by factor
};

}  // namespace nephron::host
