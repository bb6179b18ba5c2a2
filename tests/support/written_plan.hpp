#pragma once

// For tests of augmentations: a plan that only remembers what it was told.
#include <optional>
#include <vector>

#include <nephron/augmentation.hpp>

namespace nephron {

struct WrittenPlan : Plan {
  std::optional<Affine> map;
  std::optional<Border> border;
  std::optional<std::pair<bool, bool>> flips;
  std::optional<std::array<std::array<std::uint8_t, 256>, 3>> table;
  std::vector<float> horizontal, vertical;
  int calls = 0;

  void affine(const Affine& forward, Border b) override { map = forward, border = b, ++calls; }
  void flip(bool h, bool v) override { flips = {h, v}, ++calls; }
  void displacement(const Image&, Border) override { ++calls; }
  void lookup(const std::array<std::array<std::uint8_t, 256>, 3>& t) override { table = t, ++calls; }
  void colour_matrix(const std::array<float, 12>&) override { ++calls; }
  void filter(const Image&) override { ++calls; }
  void filter(const std::vector<float>& h, const std::vector<float>& v) override {
    horizontal = h, vertical = v, ++calls;
  }
  void pixels(std::function<void(const ImageView&, const ImageView&)>) override { ++calls; }
};

}  // namespace nephron
