#include <nephron/loss_input.hpp>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/elu.h>
#include <ATen/ops/relu.h>

#include "jaccard_steps.hpp"

struct LovaszParams {
  std::string hinge = "relu";
  bool symmetric = false;
  bool per_sample = true;

  static void describe(nephron::Schema<LovaszParams>& s) {
    s.field("hinge", &LovaszParams::hinge,
            "what an error e = 1 - (2 t - 1) logit counts: relu: max(e, 0); elu: e + 1, under 0 exp(e)")
        .choices({"relu", "elu"});
    s.field("symmetric", &LovaszParams::symmetric, "the mean of the loss and of that of background for foreground");
    s.field("per_sample", &LovaszParams::per_sample, "a value a sample; without, one of all pixels of the batch");
  }
};

class LovaszLoss final : public nephron::InputLoss {
 public:
  LovaszLoss(const LovaszParams& params, nephron::Context& context)
      : params_(params), relu_(params.hinge == "relu"), threads_(context.threads()) {}

  at::Tensor value(const nephron::LossInput& input) const override {
    const at::Tensor errors = 1 - input.logits() * (2 * input.target() - 1);
    const at::Tensor hinge = relu_ ? at::relu(errors) : at::elu(errors) + 1;
    const at::Tensor each = hinge * steps(errors, input);
    return params_.per_sample ? each.sum(at::IntArrayRef{2, 3}) : each.sum(at::IntArrayRef{0, 2, 3}).unsqueeze(0);
  }

 private:
  /// In the form of the errors. Swapped targets and logits have the same errors: one order serves both.
  at::Tensor steps(const at::Tensor& errors, const nephron::LossInput& input) const {
    const at::NoGradGuard constant;
    const auto samples = errors.size(0), classes = errors.size(1);
    const auto plane = [&](const at::Tensor& t) {
      if (!t.defined()) return t;
      if (params_.per_sample) return t.contiguous().view({samples * classes, -1});
      return t.transpose(0, 1).contiguous().view({classes, -1});
    };
    const at::Tensor out = jaccard_steps({.errors = plane(errors),
                                          .target = plane(input.target()),
                                          .weights = plane(input.pixel_weights()),
                                          .positive_only = relu_,
                                          .symmetric = params_.symmetric},
                                         threads_);
    if (params_.per_sample) return out.view(errors.sizes());
    return out.view({classes, samples, errors.size(2), errors.size(3)}).transpose(0, 1);
  }

  LovaszParams params_;
  bool relu_;
  nephron::ThreadPool& threads_;
};

NEPHRON_PLUGIN("lovasz", "1.0.0")
NEPHRON_COMPONENT(nephron::Loss, LovaszLoss, "lovasz",
                  "Lovasz hinge: a convex bound of the Jaccard loss (Berman et al. 2018, arXiv:1705.08790)")
