#include <algorithm>
#include <cmath>

#include <nephron/augmentation_params.hpp>

struct DefocusParams {
  std::array<int, 2> radius{3, 10};
  std::array<double, 2> alias_blur{0.1, 0.5};

  static void describe(nephron::Schema<DefocusParams>& s) {
    using P = DefocusParams;
    s.field("radius", &P::radius, "smallest and largest radius of the disk").range(1, 120).unit("px");
    s.field("alias_blur", &P::alias_blur, "smallest and largest deviation of the Gaussian that smooths the disk's edge")
        .range(0, 10)
        .unit("px");
  }
  void validate() const {
    nephron::require_order("radius", radius);
    nephron::require_order("alias_blur", alias_blur);
  }
};

namespace {

/// A square of weights, its side odd.
struct Square {
  int side;
  std::vector<double> weights;
  explicit Square(int n) : side(n), weights(static_cast<std::size_t>(n * n)) {}
  double& at(int x, int y) { return weights[static_cast<std::size_t>(y * side + x)]; }
};

/// Convolved with a Gaussian along x, then turned: twice gives both directions. Beyond the edge lies the mirror image.
Square smoothed_and_turned(Square& from, const std::vector<float>& kernel) {
  Square out(from.side);
  const int radius = static_cast<int>(kernel.size() / 2), last = from.side - 1;
  for (int y = 0; y < from.side; ++y)
    for (int x = 0; x < from.side; ++x)
      for (int t = -radius; t <= radius; ++t) {
        const int read = std::abs(x + t);
        out.at(y, x) += static_cast<double>(kernel[static_cast<std::size_t>(t + radius)]) *
                        from.at(read > last ? 2 * last - read : read, y);
      }
  return out;
}

/// Albumentations' disk: on a square that is never smaller than 17 x 17, its edge smoothed there.
Square disk(int radius, double alias_blur) {
  const int half = std::max(8, radius);
  Square out(2 * half + 1);
  int inside = 0;
  for (int y = -half; y <= half; ++y)
    for (int x = -half; x <= half; ++x)
      if (x * x + y * y <= radius * radius) out.at(x + half, y + half) = 1, ++inside;
  for (double& w : out.weights) w /= inside;
  const int side = radius <= 8 ? 3 : 5;
  const std::vector<float> gaussian =
      alias_blur > 0 ? nephron::gaussian_kernel(side, alias_blur) : nephron::gaussian_kernel_of_side(side);
  Square turned = smoothed_and_turned(out, gaussian);
  return smoothed_and_turned(turned, gaussian);
}

/// Without what weighs nothing, and without a margin of such weights: a disk whose edge is sharp has one weight then,
/// which is faster.
nephron::Image kernel_of(Square square) {
  constexpr double nothing = 1e-9;
  for (double& w : square.weights) w = w > nothing ? w : 0;
  int margin = 0;
  const auto edge_is_empty = [&] {
    for (int i = 0; i < square.side; ++i)
      for (const int edge : {margin, square.side - 1 - margin})
        if (square.at(i, edge) > 0 || square.at(edge, i) > 0) return false;
    return true;
  };
  while (2 * margin + 1 < square.side && edge_is_empty()) ++margin;
  const int side = square.side - 2 * margin;
  nephron::Image out({side, side}, 1, nephron::Depth::f32);
  for (int y = 0; y < side; ++y)
    for (int x = 0; x < side; ++x) out.view().row<float>(y)[x] = static_cast<float>(square.at(x + margin, y + margin));
  return out;
}

}  // namespace

class Defocus final : public nephron::Augmentation {
 public:
  explicit Defocus(const DefocusParams& params) : params_(params) {}

  void draw(const nephron::SampleInfo&, nephron::Rng& rng, nephron::Plan& plan) const override {
    const int radius = nephron::drawn(params_.radius, rng);
    plan.filter(kernel_of(disk(radius, nephron::drawn(params_.alias_blur, rng))));
  }

 private:
  DefocusParams params_;
};

NEPHRON_COMPONENT(nephron::Augmentation, Defocus, "defocus",
                  "Blurs with a disk, as a lens out of focus and as Albumentations' Defocus")
