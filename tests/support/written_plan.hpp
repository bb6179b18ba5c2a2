#pragma once

// For tests of augmentations: a plan that only remembers what it was told.
#include <optional>
#include <vector>

#include <nephron/augmentation.hpp>

namespace nephron {

/// A sample of which an augmentation is told.
inline SampleInfo sample_of(Size size) {
  return {.size = size, .slide = "slide", .group = "group", .mpp = 0.5, .region = {0, 0, size.width, size.height}};
}

struct WrittenPlan : Plan {
  std::optional<Affine> map;
  std::optional<Border> border;
  std::optional<std::pair<bool, bool>> flips;
  std::optional<std::array<std::array<std::uint8_t, 256>, 3>> table;
  std::optional<std::array<float, 12>> densities;
  std::optional<std::array<float, 3>> white;
  std::optional<std::array<float, 12>> colours;
  std::vector<float> cube;
  Image grid, kernel;
  int spacing = 0;
  std::vector<float> horizontal, vertical;
  int calls = 0;

  void affine(const Affine& forward, Border b) override { map = forward, border = b, ++calls; }
  void flip(bool h, bool v) override { flips = {h, v}, ++calls; }
  void displacement(const Image& g, int s, Border b) override { grid = g, spacing = s, border = b, ++calls; }
  void lookup(const std::array<std::array<std::uint8_t, 256>, 3>& t) override { table = t, ++calls; }
  void colour_matrix(const std::array<float, 12>& m) override { colours = m, ++calls; }
  void density_matrix(const std::array<float, 12>& m, const std::array<float, 3>& w) override {
    densities = m, white = w, ++calls;
  }
  void colour_cube(int, const std::vector<float>& values) override { cube = values, ++calls; }
  void filter(const Image& k) override { kernel = k, ++calls; }
  void filter(const std::vector<float>& h, const std::vector<float>& v) override {
    horizontal = h, vertical = v, ++calls;
  }
  void pixels(std::function<void(const SampleView&)>) override { ++calls; }
};

}  // namespace nephron
