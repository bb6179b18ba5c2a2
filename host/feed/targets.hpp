#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <nephron/image.hpp>

#include <host/data/prepared.hpp>

namespace nephron::host {

/// Classes of a slide whose annotation is a probability map, ascending.
std::vector<int> soft_classes_of(const PreparedSlide& slide);

/// What is learnt from a part of a slide. `planes`: its label bits, then the probabilities of soft_classes_of();
/// `targets`: [C, H, W], 0..255; `weights`: [C].
void write_targets(const PreparedSlide& slide, const std::vector<Image>& planes, std::span<std::uint8_t> targets,
                   std::span<float> weights);
/// Ignored pixels have no target: what probability maps say there is taken back. `ignored`: [H, W], 1 where one is; it
/// may be empty. True when one is.
bool write_ignored(const PreparedSlide& slide, const Image& labels, std::span<std::uint8_t> targets,
                   std::span<std::uint8_t> ignored);

/// The same of any part of a slide, as it lies there. Keeps its memory for the next part.
class RegionTargets {
 public:
  void read(const PreparedSlide& slide, const Region& region);
  std::span<const std::uint8_t> targets() const noexcept { return targets_; }  ///< [C, H, W], 0..255
  std::span<const float> weights() const noexcept { return weights_; }         ///< [C]
  std::span<const std::uint8_t> ignored() const noexcept { return ignored_; }  ///< [H, W], 0 or 1
  bool ignoring() const noexcept { return ignoring_; }                         ///< one pixel is

 private:
  std::vector<Image> planes_;
  std::vector<std::uint8_t> targets_, ignored_;
  std::vector<float> weights_;
  bool ignoring_ = false;
};

}  // namespace nephron::host
