#include <algorithm>
#include <cmath>

#include <nephron/partners.hpp>

struct CutMixParams {
  double alpha = 1.0;
  double least = 0.0;

  static void describe(nephron::Schema<CutMixParams>& s) {
    s.field("alpha", &CutMixParams::alpha, "share of the picture that stays is drawn from Beta(alpha, alpha)")
        .range(0.05, 100);
    s.field("least", &CutMixParams::least, "least share of the picture that is pasted").range(0, 1);
  }
};

/// A box of pixels: rows and columns from, and how many.
struct Box {
  std::int64_t y, x, height, width;
};

class CutMix final : public nephron::BatchAugmentation {
 public:
  CutMix(const CutMixParams& params, nephron::Context&) : params_(params) {}

  void apply(nephron::Batch& batch, nephron::Rng& rng) const override {
    if (batch.size() < 2) return;
    const at::Tensor partners = nephron::draw_partners(batch, rng);
    const Box box = draw_box(batch.images().size(2), batch.images().size(3), rng);
    if (box.height == 0 || box.width == 0) return;
    const at::Tensor weights = batch.spread_weights();
    batch.set_images(pasted(batch.images(), partners, box));
    batch.set_targets(pasted(batch.targets(), partners, box));
    batch.set_spread_weights(pasted(weights, partners, box));
  }

 private:
  /// About any point of the picture, cut off at its edges, as the paper has it.
  Box draw_box(std::int64_t height, std::int64_t width, nephron::Rng& rng) const {
    const double share = std::max(params_.least, 1 - rng.beta(params_.alpha, params_.alpha));
    const auto span = [&](std::int64_t side) {
      const auto length = static_cast<std::int64_t>(std::lround(static_cast<double>(side) * std::sqrt(share)));
      const std::int64_t middle = rng.integer(0, side - 1);
      const std::int64_t low = std::max<std::int64_t>(0, middle - length / 2);
      return std::pair(low, std::min(side, middle - length / 2 + length) - low);
    };
    const auto [y, rows] = span(height);
    const auto [x, columns] = span(width);
    return {y, x, std::max<std::int64_t>(0, rows), std::max<std::int64_t>(0, columns)};
  }

  static at::Tensor pasted(const at::Tensor& from, const at::Tensor& partners, const Box& box) {
    const auto inside = [&](const at::Tensor& t) { return t.narrow(2, box.y, box.height).narrow(3, box.x, box.width); };
    at::Tensor out = from.clone(at::MemoryFormat::Preserve);
    inside(out).copy_(inside(from).index_select(0, partners));
    return out;
  }

  CutMixParams params_;
};

NEPHRON_PLUGIN("cutmix", "1.0.0")
NEPHRON_COMPONENT(nephron::BatchAugmentation, CutMix, "cutmix",
                  "Pastes a box of another sample, with its labels (Yun et al. 2019, arXiv:1905.04899)")
