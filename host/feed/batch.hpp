#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nephron/image.hpp>

#include <host/feed/sample_number.hpp>

namespace nephron::host {

/// A batch as the feed makes it, without torch: bytes that become tensors with one copy. Images stay u8; the device
/// normalises them.
struct RawBatch {
  std::int64_t first = 0;  ///< number of its first sample in the epoch
  std::int64_t count = 0;
  std::int64_t side = 0;
  int classes = 0;
  /// [N]: what a device makes each sample of (sample_program.hpp), in place of `images`, `labels` and `ignored`; empty:
  /// those are made.
  std::vector<std::vector<std::uint8_t>> programs;
  std::vector<std::uint8_t> images;    ///< [N, H, W, 3]
  std::vector<std::uint8_t> labels;    ///< [N, C, H, W]: targets 0..255 (255 = 1), so that soft ones fit
  std::vector<float> weights;          ///< [N, C]
  std::vector<std::uint8_t> ignored;   ///< [N, H, W]: 1 where a pixel is ignored; empty: no slide has such pixels
  std::vector<std::uint8_t> ignoring;  ///< [N]: 1 where a sample has such pixels; empty with `ignored`
  std::vector<std::string> ids;        ///< "slide x,y": where each sample came from
  std::vector<SampleNumber> windows;   ///< [N]: the sample that each window was drawn for; another one: it comes again
};

/// Part of a batch, when several processes make one together: the samples [first, first + count).
struct BatchShare {
  std::int64_t first = 0, count = 0;
};
constexpr BatchShare share_of(std::int64_t batch, std::int64_t part, std::int64_t parts) noexcept {
  const std::int64_t first = batch * part / parts;
  return {first, batch * (part + 1) / parts - first};
}

}  // namespace nephron::host
