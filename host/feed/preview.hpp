#pragma once

#include <filesystem>
#include <vector>

#include <host/feed/feed.hpp>

namespace nephron::host {

/// One picture of the first `windows` samples of `epoch`, as the model will see them, side by side; the labels of
/// each class outlined in its own colour (red, blue, green, ...).
Image draw_preview(const Feed& feed, const Experiment& experiment, std::uint64_t epoch, int windows);

/// Writes a picture as PNG, atomically. Throws Error that names the file.
void write_png(const std::filesystem::path& file, const ImageView& rgb);

}  // namespace nephron::host
