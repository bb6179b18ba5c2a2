#include <array>

#include <nephron/augmentation.hpp>

struct HedJitterParams {
  double scale = 0.05;
  double shift = 0.05;
  std::array<double, 3> white{255, 255, 255};

  static void describe(nephron::Schema<HedJitterParams>& s) {
    using P = HedJitterParams;
    s.field("scale", &P::scale, "each stain's amount is multiplied by 1 - scale to 1 + scale").range(0, 1);
    s.field("shift", &P::shift, "each stain's amount gains -shift to shift; 1 is a density of 1, e-fold").range(0, 2);
    s.field("white", &P::white, "colour of the slide without tissue, RGB").range(1, 255);
  }
};

namespace {

using Matrix = std::array<std::array<double, 3>, 3>;

/// Optical densities (red, green, blue) of haematoxylin, eosin and DAB (Ruifrok and Johnston 2001).
constexpr Matrix stains{{{0.65, 0.70, 0.29}, {0.07, 0.99, 0.11}, {0.27, 0.57, 0.78}}};

constexpr Matrix inverse(const Matrix& m) {
  Matrix out{};
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 3; ++j) {
      const std::size_t a = (j + 1) % 3, b = (j + 2) % 3, c = (i + 1) % 3, d = (i + 2) % 3;
      out[i][j] = m[a][c] * m[b][d] - m[a][d] * m[b][c];
    }
  const double determinant = m[0][0] * out[0][0] + m[0][1] * out[1][0] + m[0][2] * out[2][0];
  for (auto& row : out)
    for (double& v : row) v /= determinant;
  return out;
}

constexpr Matrix amounts = inverse(stains);

}  // namespace

/// Scales and shifts the amount of each stain: densities d (a row) become (d S^-1 diag(scales) + shifts) S.
class HedJitter final : public nephron::Augmentation {
 public:
  explicit HedJitter(const HedJitterParams& params) : params_(params) {}

  void draw(const nephron::SampleInfo&, nephron::Rng& rng, nephron::Plan& plan) const override {
    std::array<double, 3> scales{}, shifts{};
    for (std::size_t k = 0; k < 3; ++k) {
      scales[k] = rng.uniform(1 - params_.scale, 1 + params_.scale);
      shifts[k] = rng.uniform(-params_.shift, params_.shift);
    }
    std::array<float, 12> matrix{};
    for (std::size_t to = 0; to < 3; ++to) {
      for (std::size_t from = 0; from < 3; ++from) {
        double sum = 0;
        for (std::size_t k = 0; k < 3; ++k) sum += amounts[from][k] * scales[k] * stains[k][to];
        matrix[4 * to + from] = static_cast<float>(sum);
      }
      double added = 0;
      for (std::size_t k = 0; k < 3; ++k) added += shifts[k] * stains[k][to];
      matrix[4 * to + 3] = static_cast<float>(added);
    }
    const auto& [r, g, b] = params_.white;
    plan.density_matrix(matrix, {static_cast<float>(r), static_cast<float>(g), static_cast<float>(b)});
  }

 private:
  HedJitterParams params_;
};

NEPHRON_PLUGIN("hed_jitter", "1.0.0")
NEPHRON_COMPONENT(nephron::Augmentation, HedJitter, "hed_jitter",
                  "Scales and shifts each stain in optical density (Tellez et al. 2018, doi:10.1109/TMI.2018.2820199)")
