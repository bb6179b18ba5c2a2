#pragma once

#include <array>
#include <cstdint>
#include <string>

#include <host/feed/feed.hpp>

namespace nephron::host {

/// The colour that labels of a class are outlined in: red, blue, green, orange, ..., another for each of 32.
std::array<std::uint8_t, 3> class_colour(std::size_t class_index);

/// Outlines the labels of each class in its colour, where they have weight in the loss and are at least `least`.
/// labels: [C, H, W] targets 0..255; weights: [C].
void outline_labels(const ImageView& picture, std::vector<std::uint8_t>& labels, const std::vector<float>& weights,
                    std::uint8_t least = 128);

/// Hatches what is ignored in grey. ignored: [H, W], not 0; empty: nothing is.
void hatch_ignored(const ImageView& picture, const std::vector<std::uint8_t>& ignored);

/// Writes as much of `text` into a strip as fits: the strip has preview_caption rows. Letters are ASCII alone.
void write_caption(const ImageView& strip, std::string text);

/// Rows below each window of draw_preview() that say where it was cut.
constexpr std::int64_t preview_caption = 16;

/// One picture of the first `windows` samples of `epoch`, as the model will see them, side by side, labels outlined;
/// below each its slide, its place and the augmentations that were drawn, as far as there is room.
Image draw_preview(const Feed& feed, const Experiment& experiment, std::uint64_t epoch, int windows);

/// One sample for a page: without its augmentations and with them, labels outlined as in draw_preview().
struct PreviewWindow {
  SampleStory story;
  Image plain, seen;
};
PreviewWindow preview_window(const Feed& feed, const Experiment& experiment, std::uint64_t epoch, std::int64_t index);

}  // namespace nephron::host
