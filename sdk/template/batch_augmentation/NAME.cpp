#include <ATen/ops/minimum.h>
#include <nephron/partners.hpp>

struct @CLASS@Params {
  double most = 0.3;

  static void describe(nephron::Schema<@CLASS@Params>& s) {
    s.field("most", &@CLASS@Params::most, "largest share of another sample").range(0, 1);
  }
};

// Mixes each sample with another one. Whatever happens to images happens to targets; weights say what is still known.
class @CLASS@BatchAugmentation final : public nephron::BatchAugmentation {
 public:
  @CLASS@BatchAugmentation(const @CLASS@Params& params, nephron::Context&) : params_(params) {}

  void apply(nephron::Batch& batch, nephron::Rng& rng) const override {
    const at::Tensor partners = nephron::draw_partners(batch, rng);
    const double share = rng.uniform(0, params_.most);
    const auto mixed = [&](const at::Tensor& t) { return (1 - share) * t + share * t.index_select(0, partners); };
    batch.set_images(mixed(batch.images()));
    batch.set_targets(mixed(batch.targets()));
    const at::Tensor weights = batch.spread_weights();  // what is known of both is known of their mixture
    batch.set_spread_weights(at::minimum(weights, weights.index_select(0, partners)));
  }

 private:
  @CLASS@Params params_;
};

NEPHRON_PLUGIN("@NAME@", "1.0.0")
NEPHRON_COMPONENT(nephron::BatchAugmentation, @CLASS@BatchAugmentation, "@NAME@",
                  "What it does, in one line: replace this one")
