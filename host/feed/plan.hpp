#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <variant>
#include <vector>

#include <nephron/augmentation.hpp>

#include <host/plugins/guard.hpp>

namespace nephron::host {

using ColourTables = std::array<std::array<std::uint8_t, 256>, 3>;

// What an augmentation asked for, one struct a call of Plan.
struct FlipStep {
  bool horizontal = false, vertical = false;
};
struct AffineStep {
  Affine forward;
  Border border{};
};
struct DisplacementStep {
  Image field;
  Border border{};
};
struct LookupStep {
  ColourTables table;
};
struct ColourStep {
  std::array<float, 12> matrix;
};
struct FilterStep {
  Image kernel;
};
struct SeparableStep {
  std::vector<float> horizontal, vertical;
};
struct PixelsStep {
  std::function<void(const ImageView&, const ImageView&)> change;
  const Origin* origin = nullptr;  ///< of the component whose code runs when the plan is carried out
};
using Step =
    std::variant<FlipStep, AffineStep, DisplacementStep, LookupStep, ColourStep, FilterStep, SeparableStep, PixelsStep>;

/// Writes down the steps and checks their arguments, so that a wrong one is blamed on the augmentation that gave it.
///
/// Neighbours are joined where that changes nothing but rounding: mirrors with mirrors, a mirror with the affine map
/// beside it, tables with tables.
class RecordedPlan final : public Plan {
 public:
  explicit RecordedPlan(Size picture) : picture_(picture) {}

  void affine(const Affine& forward, Border border) override;
  void flip(bool horizontal, bool vertical) override;
  void displacement(const Image& field, Border border) override;
  void lookup(const ColourTables& table) override;
  void colour_matrix(const std::array<float, 12>& matrix) override;
  void filter(const Image& kernel) override;
  void filter(const std::vector<float>& horizontal, const std::vector<float>& vertical) override;
  void pixels(std::function<void(const ImageView& image, const ImageView& labels)> change) override;

  Size picture() const noexcept { return picture_; }
  const std::vector<Step>& steps() const noexcept { return steps_; }
  /// How often a step was added; neighbours are joined, so that there may be fewer.
  std::size_t told() const noexcept { return told_; }
  /// Of the component that draws next.
  void set_origin(const Origin* origin) noexcept { origin_ = origin; }

 private:
  Affine mirror(const FlipStep& flip) const;
  template <class T>
  T* last() {
    return steps_.empty() ? nullptr : std::get_if<T>(&steps_.back());
  }

  Size picture_;
  std::vector<Step> steps_;
  std::size_t told_ = 0;
  const Origin* origin_ = nullptr;
};

}  // namespace nephron::host
