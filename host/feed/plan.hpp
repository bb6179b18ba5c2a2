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
  Image grid;
  int spacing = 1;
  Border border{};
  std::array<double, 2> reach{};  ///< of the longest dx and dy, in pixels
};
struct LookupStep {
  ColourTables table;
};
struct ColourStep {
  std::array<float, 12> matrix;
};
struct DensityStep {
  std::array<float, 12> matrix;
  std::array<float, 3> white;
};
struct CubeStep {
  int side = 2;
  std::vector<float> nodes;  ///< four a node, of which the last is 0: they fill a register
};
struct FilterStep {
  Image kernel;
};
struct SeparableStep {
  std::vector<float> horizontal, vertical;
};
struct PixelsStep {
  std::function<void(const SampleView&)> change;
  const Origin* origin = nullptr;  ///< of the component whose code runs when the plan is carried out
};
using Step = std::variant<FlipStep, AffineStep, DisplacementStep, LookupStep, ColourStep, DensityStep, CubeStep,
                          FilterStep, SeparableStep, PixelsStep>;

/// Moves pixels of image and planes alike.
bool is_geometry(const Step& step) noexcept;
/// Changes each pixel of the image by itself.
bool is_colour(const Step& step) noexcept;
/// A mirror as a map; it is its own inverse.
Affine mirror_of(const FlipStep& flip, Size picture);
/// The map from result to source, computed as OpenCV's warpAffine does.
std::array<double, 6> turned_back(const std::array<double, 6>& forward);
/// What a step has to read to make the region `to` of its result, both of a picture of this size.
Region region_read(const Step& step, const Region& to, Size picture);

/// The step behind the geometric ones from `first` on; `first` itself where it is none.
std::size_t geometry_behind(const std::vector<Step>& steps, std::size_t first) noexcept;

/// Writes down the steps and checks their arguments, so that a wrong one is blamed on the augmentation that gave it.
///
/// Neighbours are joined where that changes nothing but rounding: mirrors with mirrors, a mirror with the affine map
/// beside it, tables with tables.
class RecordedPlan final : public Plan {
 public:
  explicit RecordedPlan(Size picture) : picture_(picture) {}

  void affine(const Affine& forward, Border border) override;
  void flip(bool horizontal, bool vertical) override;
  void displacement(const Image& grid, int spacing, Border border) override;
  void lookup(const ColourTables& table) override;
  void colour_matrix(const std::array<float, 12>& matrix) override;
  void density_matrix(const std::array<float, 12>& matrix, const std::array<float, 3>& white) override;
  void colour_cube(int side, const std::vector<float>& values) override;
  void filter(const Image& kernel) override;
  void filter(const std::vector<float>& horizontal, const std::vector<float>& vertical) override;
  void pixels(std::function<void(const SampleView& sample)> change) override;

  Size picture() const noexcept { return picture_; }
  const std::vector<Step>& steps() const noexcept { return steps_; }
  /// How often a step was added; neighbours are joined, so that there may be fewer.
  std::size_t told() const noexcept { return told_; }
  /// Of the component that draws next.
  void set_origin(const Origin* origin) noexcept { origin_ = origin; }

 private:
  template <class T>
  T* last() {
    return steps_.empty() ? nullptr : std::get_if<T>(&steps_.back());
  }

  Size picture_;
  std::vector<Step> steps_;
  std::size_t told_ = 0;
  const Origin* origin_ = nullptr;
};

/// What each step reads to make the region `wanted` of the result, and that region itself, last.
std::vector<Region> regions_read(const RecordedPlan& plan, const Region& wanted);

}  // namespace nephron::host
