#include <host/train/step_graph.hpp>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <mutex>
#include <utility>

#include <ATen/Context.h>
#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/_foreach_sub.h>
#include <ATen/ops/full.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/stack.h>
#include <c10/core/GradMode.h>

#include <nephron/error.hpp>

#include <host/plugins/guard.hpp>
#include <host/util/counted.hpp>
#include <host/util/log.hpp>

namespace nephron::host {

namespace {

constexpr const char* without = "Set train.cuda_graph = false; a run that has begun may be gone on with so.";

/// What a pass changes besides gradients: buffers of the network, and where LibTorch's generators stand.
class PassState {
 public:
  PassState(const std::vector<at::Tensor>& buffers, c10::Device device) {
    for (const at::Tensor& own : buffers) buffers_.emplace_back(own, own.clone());
    take(c10::Device(c10::kCPU));
    if (!device.is_cpu()) take(device);
  }
  void put_back() const {
    for (const auto& [own, was] : buffers_) own.copy_(was);
    for (const auto& [generator, state] : generators_) {
      at::Generator to = generator;
      const std::lock_guard lock(to.mutex());
      to.set_state(state);
    }
  }

 private:
  void take(c10::Device device) {
    at::Generator generator = at::globalContext().defaultGenerator(device);
    const std::lock_guard lock(generator.mutex());
    generators_.emplace_back(generator, generator.get_state());
  }
  std::vector<std::pair<at::Tensor, at::Tensor>> buffers_;
  std::vector<std::pair<at::Generator, at::Tensor>> generators_;
};

at::Tensor copy_of(const at::Tensor& t) { return t.defined() ? t.clone() : t; }

BatchTensors copy_of(const BatchTensors& batch) {
  return {copy_of(batch.images), copy_of(batch.targets), copy_of(batch.weights), batch.known_weights,
          copy_of(batch.pixel_weights)};
}

void copy_into(const BatchTensors& to, const BatchTensors& from) {
  const auto copy = [](const at::Tensor& own, const at::Tensor& other) {
    if (own.defined()) own.copy_(other, /*non_blocking=*/true);
  };
  copy(to.images, from.images);
  copy(to.targets, from.targets);
  copy(to.weights, from.weights);
  copy(to.pixel_weights, from.pixel_weights);
}

double norm_of(const std::vector<at::Tensor>& tensors) {
  return at::linalg_vector_norm(at::stack(at::_foreach_norm(tensors))).item<double>();
}

/// How far the gradients of one batch, made twice, are apart, as a share of their norm; not a number where they are
/// not finite.
double apart(const std::vector<at::Tensor>& made, const std::vector<at::Tensor>& expected) {
  std::vector<at::Tensor> a, b;
  for (std::size_t i = 0; i < made.size(); ++i) {
    if (made[i].defined() != expected[i].defined()) return 1;
    if (made[i].defined()) a.push_back(made[i]), b.push_back(expected[i]);
  }
  if (a.empty()) return 0;
  const double norm = norm_of(b);
  return norm_of(at::_foreach_sub(a, b)) / (norm > 0 ? norm : 1);
}

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g", value);
  return text;
}

/// Sums of a GPU may be in another order each time; another draw, or a number that was to change, is further off.
void require_same(double loss, double expected, double gradients) {
  constexpr double most_loss = 0.01, most_gradients = 0.05;
  const bool finite = std::isfinite(loss) && std::isfinite(expected);
  const bool same_loss = finite ? std::abs(loss - expected) <= most_loss * std::max(std::abs(expected), 1e-3)
                                : std::isfinite(loss) == std::isfinite(expected);
  // Gradients of fp16 are not finite as long as their scale is too large.
  if (same_loss && !(gradients > most_gradients)) return;
  throw Error("train.cuda_graph: a batch that was recorded gives something else when it is replayed: a loss of " +
                  number(loss) + " in place of " + number(expected) + ", and gradients that are " + number(gradients) +
                  " of their norm apart",
              std::string("A component computes with something that a recording cannot know: random numbers that are "
                          "not of LibTorch's generator of the device, or a count of its own. ") +
                  without);
}

/// For what was thrown while a batch was recorded.
[[noreturn]] void rethrow_recording(const std::exception& thrown) {
  const std::string what = "train.cuda_graph: a batch could not be recorded: " + with_hint(thrown);
  const std::string hint = std::string(
                               "What waits for the device cannot be recorded: reading values back (item(), "
                               "nonzero(), a copy to the CPU), and tensors made there of numbers that the CPU "
                               "has. ") +
                           without;
  if (dynamic_cast<const PluginError*>(&thrown) != nullptr) throw PluginError(what, hint);
  throw Error(what, hint);
}

}  // namespace

/// A batch of one form, as it was recorded or is going to be.
struct StepGraph::Recorded {
  int warmed = 0;
  BatchTensors inputs;  ///< where a batch has to lie to be replayed
  at::Tensor share;
  BatchLosses losses;  ///< of the last replay
  std::vector<at::Tensor> gradients;
  std::unique_ptr<RecordedWork> work;  ///< none yet: it is computed as ever. Goes first: tensors lie in its memory
};

StepGraph::StepGraph(WorkRecorder& recorder, const torch::nn::Module& network, c10::Device device, Work work)
    : recorder_(recorder),
      device_(device),
      work_(std::move(work)),
      parameters_(network.parameters()),
      buffers_(network.buffers()),
      modules_(network.modules(/*include_self=*/false)) {
  std::erase_if(buffers_, [](const at::Tensor& t) { return !t.defined(); });
}

StepGraph::~StepGraph() = default;

StepGraph::Form StepGraph::form_of(const BatchTensors& batch) {
  Form out;
  for (const at::Tensor* t : {&batch.images, &batch.targets, &batch.weights, &batch.pixel_weights}) {
    out.push_back(t->defined() ? t->dim() : -1);
    if (!t->defined()) continue;
    out.push_back(static_cast<std::int64_t>(t->scalar_type()));
    out.insert(out.end(), t->sizes().begin(), t->sizes().end());
    out.insert(out.end(), t->strides().begin(), t->strides().end());
  }
  return out;
}

StepGraph::Situation StepGraph::situation(const std::vector<double>& rests_on) const {
  Situation out = rests_on;
  const auto place = [](const at::Tensor& t) { return std::bit_cast<double>(t.const_data_ptr()); };
  for (const at::Tensor& p : parameters_) out.push_back(place(p)), out.push_back(p.requires_grad());
  for (const at::Tensor& b : buffers_) out.push_back(place(b));
  for (const auto& module : modules_) out.push_back(module->is_training());
  return out;
}

StepGraph::Recorded* StepGraph::find(const BatchTensors& batch) {
  const Form form = form_of(batch);
  const auto known = recorded_.find(form);
  if (known != recorded_.end()) return known->second.get();
  if (recorded_.size() == most_forms) return nullptr;
  return recorded_.emplace(form, std::make_unique<Recorded>()).first->second.get();
}

BatchLosses StepGraph::run(const BatchTensors& batch, double share, bool last, const std::vector<double>& rests_on) {
  const auto same = [](double a, double b) {
    return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
  };
  if (Situation now = situation(rests_on);
      !std::equal(now.begin(), now.end(), situation_.begin(), situation_.end(), same)) {
    recorded_.clear();
    situation_ = std::move(now);
  }
  Recorded* const of = find(batch);
  if (of == nullptr) return run_as_ever(batch, share);
  ++batches_;
  if (of->work != nullptr) return replay(*of, batch, share, last);
  return ++of->warmed < warm_ups ? warm_up(batch, share) : record(*of, batch, share, last);
}

BatchLosses StepGraph::run_as_ever(const BatchTensors& batch, double share) {
  ++batches_;
  return work_(batch, at::full({}, share, batch.weights.options()));
}

BatchLosses StepGraph::warm_up(const BatchTensors& batch, double share) {
  BatchLosses out;
  const at::Tensor of_step = at::full({}, share, batch.weights.options());
  recorder_.beside([&] { out = work_(batch, of_step); });
  return out;
}

std::vector<at::Tensor> StepGraph::take_gradients() {
  std::vector<at::Tensor> out;
  for (at::Tensor& p : parameters_) out.push_back(std::exchange(p.mutable_grad(), at::Tensor()));
  return out;
}

void StepGraph::hand_over(const std::vector<at::Tensor>& gradients, bool last) {
  std::vector<at::Tensor> sums, more;
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    if (!gradients[i].defined()) continue;
    at::Tensor& own = parameters_[i].mutable_grad();
    if (own.defined()) sums.push_back(own), more.push_back(gradients[i]);
    else own = last ? gradients[i] : gradients[i].clone();
  }
  if (!sums.empty()) at::_foreach_add_(sums, more);
}

BatchLosses StepGraph::record(Recorded& to, const BatchTensors& batch, double share, bool last) {
  const auto start = std::chrono::steady_clock::now();
  // What is recorded writes its gradients: those that are there wait, or it would add to them.
  const std::vector<at::Tensor> others = take_gradients();
  const PassState before(buffers_, device_);
  const double expected = warm_up(batch, share).loss.total.item<double>();
  const std::vector<at::Tensor> gradients = take_gradients();
  before.put_back();
  to.inputs = copy_of(batch);
  to.share = at::full({}, share, batch.weights.options());
  try {
    to.work = recorder_.record([this, &to] { to.losses = work_(to.inputs, to.share); });
  } catch (const Cancelled&) {
    throw;
  } catch (const std::exception& e) {
    rethrow_recording(e);
  }
  to.gradients = take_gradients();
  hand_over(others, /*last=*/true);
  const BatchLosses out = replay(to, batch, share, last);
  const double off = apart(to.gradients, gradients);
  require_same(out.loss.total.item<double>(), expected, off);
  ++recordings_;
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  log().info("batches of " + counted(batch.images.size(0), "tile") +
             " are replayed from a CUDA graph from here on: " + "recorded in " + number(took.count()) +
             " s, it keeps " + number(static_cast<double>(to.work->bytes()) / 1e9) + " GB; gradients " + number(off) +
             " of their norm from those without it");
  return out;
}

BatchLosses StepGraph::replay(Recorded& from, const BatchTensors& batch, double share, bool last) {
  const c10::NoGradGuard no_grad;
  copy_into(from.inputs, batch);
  from.share.fill_(share);
  from.work->replay();
  ++replayed_;
  hand_over(from.gradients, last);
  // The next replay writes over them, and a loss is read some steps later.
  return {{from.losses.loss.total.clone(), from.losses.loss.parts.clone()}, copy_of(from.losses.of_samples)};
}

std::string StepGraph::text() const {
  if (batches_ == 0) return {};
  return std::to_string(replayed_) + " of " + counted(batches_, "batch", "batches") +
         " were replayed from a CUDA graph, recorded " + counted(recordings_, "time");
}

}  // namespace nephron::host
