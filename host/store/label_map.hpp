#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nephron/context.hpp>
#include <nephron/image.hpp>

#include <host/store/mapped_tiff.hpp>
#include <host/store/reduction.hpp>

namespace nephron::host {

/// Where the labels of a slide come from: any window of the reduced map. Called by several threads at once.
struct LabelSource {
  /// False when a region certainly holds no label; it need not be painted then.
  std::function<bool(Reduction, const Region&)> touches;
  /// One bit a class, and the one after them alone where a pixel is ignored; as wide as they need. The window comes
  /// zeroed.
  std::function<void(Reduction, const Region&, const ImageView&)> paint;
  bool ignores = false;   ///< some pixels are ignored
  std::vector<int> soft;  ///< classes that also have a probability map
  std::function<void(int class_index, Reduction, const Region&, const ImageView&)> paint_soft;
};

struct WrittenLabels {
  std::int64_t bytes = 0;
  std::string digest;                    ///< of its size and pixels: TileDigests
  std::vector<std::int64_t> foreground;  ///< pixels a class
  std::optional<std::int64_t> ignored;   ///< pixels; nothing where the source ignores none
};

/// Side of the blocks of the presence map.
constexpr std::int64_t presence_block = 16;

/// Writes labels at one reduction into a tiled TIFF whose blank tiles take no room: a picture of bits, a picture of
/// presence (a pixel is the union of the bits of 16 x 16, what samplers look up first), and a picture of each soft
/// class. A file is a function of the labels alone, not of threads.
WrittenLabels write_labels(const std::filesystem::path& file, const LabelSource& source, Size full, double mpp,
                           Reduction reduction, const std::vector<std::string>& classes, ThreadPool& threads);

/// The digest and the counts of such a file, without a file.
WrittenLabels digest_labels(const LabelSource& source, Size full, Reduction reduction,
                            const std::vector<std::string>& classes, ThreadPool& threads);

/// The pictures of such a file, by their descriptions.
struct LabelPictures {
  /// Throws Error when the file's pictures are not those of a slide of this size.
  LabelPictures(const MappedTiff& file, const std::filesystem::path& name, Size full, Reduction reduction);
  static constexpr std::size_t none = ~std::size_t{0};
  std::size_t bits = none, presence = none;
  std::map<int, std::size_t> soft;  ///< by class
};

}  // namespace nephron::host
