#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <c10/core/Device.h>
#include <torch/nn/module.h>

#include <host/cuda/recorder.hpp>
#include <host/train/batch_tensors.hpp>
#include <host/train/objective.hpp>

namespace nephron::host {

/// What the gradients of a batch come with: on the device, without gradients of their own.
struct BatchLosses {
  LossValue loss;
  at::Tensor of_samples;  ///< for hard examples; undefined where nobody asks
};

/// Gradients of batches by replaying what was recorded of one batch like them: its kernels are launched by one call
/// (PyTorch's "whole network capture"). The first batches of a form are computed as ever, on the stream of the
/// recorder; then one is recorded, and compared with itself as ever. What the work rests on besides its tensors (where
/// weights lie, what is frozen, what is said of it) is looked at with every batch: where it changes, all begins anew.
class StepGraph {
 public:
  /// Adds the gradients of a batch that counts for `share` of the step, a float of one element where the batch lies.
  using Work = std::function<BatchLosses(const BatchTensors& batch, const at::Tensor& share)>;

  /// Batches of a form that are computed before it is recorded; the last of them is what it is compared with.
  static constexpr int warm_ups = 3;
  /// Forms of batches, beside each other, that are recorded; more are computed as ever.
  static constexpr std::size_t most_forms = 4;

  /// `network`: what `work` computes with. All outlive it.
  StepGraph(WorkRecorder& recorder, const torch::nn::Module& network, c10::Device device, Work work);
  ~StepGraph();
  StepGraph(const StepGraph&) = delete;
  StepGraph& operator=(const StepGraph&) = delete;

  /// As work(). `last`: no other batch is added to these gradients, which may then be changed until the next call.
  /// `rests_on`: all numbers that the work knows and that no tensor holds. Throws Error where the work cannot be
  /// recorded, and where it gives something else when it is replayed.
  BatchLosses run(const BatchTensors& batch, double share, bool last, const std::vector<double>& rests_on);
  /// As work(), of a batch that cannot be replayed.
  BatchLosses run_as_ever(const BatchTensors& batch, double share);

  /// "396 of 400 batches were replayed from a CUDA graph, recorded 1 time"; "" before the first.
  std::string text() const;

 private:
  struct Recorded;
  using Form = std::vector<std::int64_t>;
  using Situation = std::vector<double>;

  static Form form_of(const BatchTensors& batch);
  Situation situation(const std::vector<double>& rests_on) const;
  Recorded* find(const BatchTensors& batch);
  BatchLosses warm_up(const BatchTensors& batch, double share);
  BatchLosses record(Recorded& to, const BatchTensors& batch, double share, bool last);
  BatchLosses replay(Recorded& from, const BatchTensors& batch, double share, bool last);
  std::vector<at::Tensor> take_gradients();
  void hand_over(const std::vector<at::Tensor>& gradients, bool last);

  WorkRecorder& recorder_;
  c10::Device device_;
  Work work_;
  std::vector<at::Tensor> parameters_, buffers_;
  std::vector<std::shared_ptr<torch::nn::Module>> modules_;
  Situation situation_;  ///< that everything of `recorded_` belongs to
  std::map<Form, std::unique_ptr<Recorded>> recorded_;
  std::int64_t batches_ = 0, replayed_ = 0, recordings_ = 0;
};

}  // namespace nephron::host
