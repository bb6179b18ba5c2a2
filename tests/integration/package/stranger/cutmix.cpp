#include <algorithm>
#include <cmath>

#include <nephron/partners.hpp>

struct CutMixParams {
  double alpha = 1;
  static void describe(nephron::Schema<CutMixParams>& s) {
    s.field("alpha", &CutMixParams::alpha, "of the beta distribution that the box's area is drawn from")
        .range(0.01, 100);
  }
};

class CutMix final : public nephron::BatchAugmentation {
 public:
  explicit CutMix(const CutMixParams& params) : params_(params) {}

  void apply(nephron::Batch& batch, nephron::Rng& rng) const override {
    const at::Tensor partners = nephron::draw_partners(batch, rng);
    const double side = std::sqrt(rng.beta(params_.alpha, params_.alpha));
    const Span y(batch.images().size(2), side, rng), x(batch.images().size(3), side, rng);
    const auto pasted = [&](const at::Tensor& t) {
      at::Tensor out = t.clone();
      const auto box = [&](const at::Tensor& of) { return of.slice(2, y.begin, y.end).slice(3, x.begin, x.end); };
      box(out).copy_(box(t.index_select(0, partners)));
      return out;
    };
    batch.set_images(pasted(batch.images()));
    batch.set_targets(pasted(batch.targets()));
    batch.set_spread_weights(pasted(batch.spread_weights()));
  }

 private:
  struct Span {
    std::int64_t begin, end;
    Span(std::int64_t length, double share, nephron::Rng& rng) {
      const auto part = static_cast<std::int64_t>(std::lround(share * static_cast<double>(length)));
      begin = rng.integer(0, length - part);
      end = begin + part;
    }
  };
  CutMixParams params_;
};

NEPHRON_PLUGIN("outside_cutmix", "1.0.0")
NEPHRON_COMPONENT(nephron::BatchAugmentation, CutMix, "outside_cutmix", "a box of another sample (Yun et al. 2019)")
