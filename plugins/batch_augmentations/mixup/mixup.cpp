#include <ATen/ops/minimum.h>

#include <nephron/partners.hpp>

struct MixUpParams {
  double alpha = 0.4;

  static void describe(nephron::Schema<MixUpParams>& s) {
    s.field("alpha", &MixUpParams::alpha, "share of the sample itself is drawn from Beta(alpha, alpha)")
        .range(0.05, 100);
  }
};

class MixUp final : public nephron::BatchAugmentation {
 public:
  MixUp(const MixUpParams& params, nephron::Context&) : params_(params) {}

  void apply(nephron::Batch& batch, nephron::Rng& rng) const override {
    if (batch.size() < 2) return;
    const at::Tensor partners = nephron::draw_partners(batch, rng);
    const double own = rng.beta(params_.alpha, params_.alpha);
    const auto mixed = [&](const at::Tensor& t) { return own * t + (1 - own) * t.index_select(0, partners); };
    // What is known of both is known of their mixture.
    const auto known_of_both = [&](const at::Tensor& t) { return at::minimum(t, t.index_select(0, partners)); };
    batch.set_images(mixed(batch.images()));
    batch.set_targets(mixed(batch.targets()));
    if (batch.pixel_weights().defined()) batch.set_spread_weights(known_of_both(batch.spread_weights()));
    else batch.set_weights(known_of_both(batch.weights()));
  }

 private:
  MixUpParams params_;
};

NEPHRON_PLUGIN("mixup", "1.0.0")
NEPHRON_COMPONENT(nephron::BatchAugmentation, MixUp, "mixup",
                  "Mixes each sample with another one, labels alike (Zhang et al. 2017, arXiv:1710.09412)")
