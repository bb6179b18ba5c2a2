#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include <nephron/image.hpp>

#include <host/util/partial_file.hpp>

namespace nephron::host {

enum class PngFilter : std::uint8_t {
  none,  ///< maps that are constant over long runs
  up,    ///< rows that mostly equal the one above: labels, masks
  sub,   ///< what changes slowly along a row: probabilities
};

struct PngOptions {
  int level = 1;  ///< of zlib, 1 to 9
  PngFilter filter = PngFilter::up;
  std::string description{};  ///< a text that goes with it, UTF-8; empty: none
  int channels = 1;           ///< 3: RGB, of 8 bits
};

/// Keyword of the description.
inline constexpr const char* png_description = "Description";
/// Keyword of the note.
inline constexpr const char* png_note = "nephron";

/// A grey PNG of 8 or 16 bits, or one of colours, that is written as its rows come, so that it may be larger than
/// memory. The file appears once it is finished. Throws Error that names it.
class PngRows {
 public:
  PngRows(const std::filesystem::path& file, Size size, Depth depth, const PngOptions& options);
  ~PngRows();
  /// Rows that follow those that were given, all across; of the depth and as many channels as were said.
  void write(const ImageView& rows);
  /// `note`: a text under the keyword png_note, for those who find the file alone; empty: none.
  void finish(const std::string& note = {});

 private:
  struct State;
  PartialFile partial_;
  std::unique_ptr<State> state_;
};

}  // namespace nephron::host
