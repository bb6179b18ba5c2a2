#pragma once

#include <memory>
#include <string>
#include <vector>

#include <nephron/loss_input.hpp>

#include <host/config/experiment.hpp>
#include <host/model/backward.hpp>
#include <host/plugins/host_context.hpp>
#include <host/plugins/registry.hpp>
#include <host/train/batch_tensors.hpp>

namespace nephron::host {

/// One value a class out of a loss's values and the sample weights: sum(w v) / (sum(w) + 1e-6) over the samples, and
/// the plain mean where every weight is 1. `values`, `weights`: [N, C]; returns [C].
at::Tensor weighted_mean(const at::Tensor& values, const at::Tensor& weights);

/// A loss, and what tells where one that is no number comes from.
struct LossValue {
  at::Tensor total;  ///< a scalar, differentiable
  /// [1 + terms * C]: the sum of the logits, then each term's value of each class; for Objective::explain().
  at::Tensor parts;
};

/// How far a training has come, for losses that ask.
struct TrainPlace {
  double progress = 0;  ///< share of the steps that are done
  std::int64_t epoch = 0;
};

/// The experiment's loss: terms from plugins; classes and samples are weighed here, so that every loss works with every
/// weighting: sum over terms of weight * sum_c(class_weight_c * value_c) / sum_c(class_weight_c). A term whose weight
/// is 0 in an epoch is not asked in it.
///
/// A loss that gives one value for a whole batch cannot be weighed sample by sample. Where weights differ, it is asked
/// for each class about the samples whose weight is at least w, for every weight w > 0 that occurs; each answer counts
/// for the number of its samples times what w exceeds the next smaller weight by. Of a loss that is a mean over samples
/// that is the weighted mean, and of weights 0 and 1 the loss of the samples that count.
///
/// Where pixels have weights, those of their samples are multiplied into them: an InputLoss weighs its pixels by them,
/// and its samples count by their mean. A loss that does not look at them sees certain background in pixels of weight
/// 0, and its samples count by the mean of the others.
///
/// Of exclusive classes, a loss that couples them (CouplesClasses) is given the logits; any other is given such as have
/// the classes' probabilities for sigmoids.
class Objective {
 public:
  Objective(const LossConfig& config, std::size_t classes, const Registry& registry, std::uint64_t seed,
            const JobServices& services = {}, bool exclusive = false);
  ~Objective();
  bool exclusive() const noexcept { return exclusive_; }

  /// logits [N, C, H, W] float. The batch's images are not looked at; its known_weights spare reading weights back from
  /// a device. `auxiliary`: logits of the decoder's auxiliary maps; the mean of their losses is added with the weight
  /// loss.auxiliary. Errors of a plugin name it.
  LossValue operator()(const at::Tensor& logits, const BatchTensors& batch, const TrainPlace& place = {},
                       const std::vector<at::Tensor>& auxiliary = {}) const;
  /// How hard each sample is, whatever the losses are and wherever their schedules stand: the cross-entropy of its
  /// pixels, weighed as above, as a mean over all of them [N]; on the device, without gradient.
  at::Tensor of_samples(const at::Tensor& logits, const BatchTensors& batch) const;
  /// For a batch whose loss is recorded, to be replayed for others: whether it follows from the batch's tensors alone.
  /// What terms do with a batch is known when they were asked once.
  bool replayable(const BatchTensors& batch, std::int64_t epoch) const;
  /// What else the loss of an epoch follows from.
  std::vector<double> rests_on(std::int64_t epoch) const;
  /// Throws Error where a term has asked how far the training is.
  void require_without_progress() const;
  /// One sentence on `parts` (or a sum of several) of a loss that is no number.
  std::string explain(const at::Tensor& parts, const std::vector<std::string>& classes) const;

 private:
  struct Term {
    std::shared_ptr<Loss> loss;
    const InputLoss* asks = nullptr;  ///< the same, when it looks at more than logits and target
    bool couples = false;             ///< it looks at the classes together
    Origin origin;
    const BackwardPlace* backward = nullptr;
    LossTerm config;                      ///< what it counts in which epoch
    mutable bool of_batch = false;        ///< it has given one value for a whole batch
    mutable bool asked_progress = false;  ///< it has asked how far the training is
    mutable bool asked_epoch = false;
  };
  /// LossNeeds of the terms that count in that epoch.
  std::uint32_t needs(std::int64_t epoch) const;
  LossInput input_of(const at::Tensor& logits, const BatchTensors& batch, const TrainPlace& place) const;
  /// For losses that know one class alone: of exclusive classes, logits whose sigmoids are the softmax.
  LossInput of_single_classes(const LossInput& input) const;
  LossValue sum_of_terms(const LossInput& input, const BatchTensors& batch) const;
  [[noreturn]] void throw_without_gradient(std::int64_t epoch) const;
  /// One value a class: [C].
  at::Tensor value(const Term& term, const LossInput& input, const BatchTensors& batch) const;
  at::Tensor value_by_levels(const Term& term, const LossInput& input, const at::Tensor& weights) const;
  at::Tensor call(const Term& term, const LossInput& input) const;

  std::vector<double> class_weights_;
  std::vector<Term> terms_;
  double auxiliary_weight_;
  bool exclusive_;
};

/// The first loss that looks at the classes together, which exclude each other to it; "" where there is none.
std::string loss_of_exclusive_classes(const LossConfig& config, const Registry& registry);

}  // namespace nephron::host
