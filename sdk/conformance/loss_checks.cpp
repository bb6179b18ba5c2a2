#include <cmath>
#include <memory>
#include <tuple>

#include <ATen/ops/full_like.h>
#include <ATen/ops/max.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/zeros_like.h>
#include <nephron/loss_input.hpp>

#include <conformance/bench.hpp>
#include <conformance/kind_checks.hpp>

namespace nephron::conformance {

namespace {

struct Pair {
  at::Tensor logits;
  at::Tensor target;
};

/// Soft targets with whole ones and zeros among them.
Pair example(const std::vector<std::int64_t>& sizes, std::uint64_t seed = 1) {
  at::Tensor target = random_tensor(sizes, seed + 1, -0.5, 1.5).clamp(0, 1);
  return {random_tensor(sizes, seed, -3, 3), target};
}

const std::vector<std::int64_t> usual{3, 2, 8, 12};

/// What to do about a value of another rank than two.
std::string remedy_of(const at::Tensor& value) {
  if (!value.defined() || value.dim() == 2) return "";
  const std::string mean = ": .mean({2, 3}) of a value a pixel keeps samples and classes apart, which the host weighs";
  if (value.dim() == 0) return "; it is one number for the whole batch" + mean;
  if (value.dim() == 4) return "; it is a value a pixel" + mean;
  return "";
}

void require_value(const at::Tensor& value, const at::Tensor& logits) {
  expect(value.defined() && value.dim() == 2 && value.size(1) == logits.size(1) &&
             (value.size(0) == logits.size(0) || value.size(0) == 1),
         [&] {
           return "forward of logits " + shape_text(logits) + " returned " + shape_text(value) + "; expected [" +
                  std::to_string(logits.size(0)) + ", " + std::to_string(logits.size(1)) + "] or [1, " +
                  std::to_string(logits.size(1)) + "]" + remedy_of(value);
         });
  expect(value.scalar_type() == logits.scalar_type(), [&] {
    return "forward of logits " + shape_text(logits) + " returned " + shape_text(value) +
           "; expected the type of the logits";
  });
}

/// forward, without trusting it with the inputs: a loss that changes them fails the check that says so, and no other.
at::Tensor value_of(const Loss& loss, const Pair& in) {
  const auto own = [](const at::Tensor& t) { return t.detach().clone(at::MemoryFormat::Preserve); };
  return loss.forward(own(in.logits), own(in.target));
}

/// The loss, for checks of what its values are: that they have the right shape is what "shapes" says, in our words
/// and once.
std::shared_ptr<Loss> sound_loss(const Subject& s, Context& context) {
  auto loss = s.make<Loss>(context);
  const Pair in = example(usual);
  try {
    require_value(value_of(*loss, in), in.logits);
  } catch (const Failed& e) {
    throw Skipped(std::string("needs values of the right shape: ") + e.what());
  }
  return loss;
}

struct Outcome {
  at::Tensor value;
  at::Tensor gradient;
};

Outcome run(const Loss& loss, const Pair& in) {
  const at::Tensor leaf = in.logits.detach().clone(at::MemoryFormat::Preserve).requires_grad_(true);
  const at::Tensor logits = leaf * 1;  // as a network gives them
  const at::Tensor value = loss.forward(logits, in.target.clone(at::MemoryFormat::Preserve));
  require_value(value, logits);
  expect(value.requires_grad(), "the value does not depend on the logits: there is nothing to train");
  value.sum().backward();
  expect(leaf.grad().defined(), "no gradient reaches the logits");
  return {value.detach(), leaf.grad()};
}

void check_shapes(const Subject& s) {
  BenchContext context(s);
  const auto loss = s.make<Loss>(context);
  for (const auto& sizes :
       std::vector<std::vector<std::int64_t>>{usual, {1, 1, 16, 16}, {4, 1, 7, 5}, {2, 5, 32, 32}}) {
    const Pair in = example(sizes);
    const at::Tensor value = value_of(*loss, in);
    require_value(value, in.logits);
    expect(all_finite(value), [&] { return "the value for logits " + shape_text(in.logits) + " is not finite"; });
  }
}

void check_memory_formats(const Subject& s) {
  BenchContext context(s);
  const auto loss = sound_loss(s, context);
  const Pair in = example(usual);
  const Pair other{in.logits.contiguous(at::MemoryFormat::ChannelsLast),
                   in.target.contiguous(at::MemoryFormat::ChannelsLast)};
  const at::Tensor plain = run(*loss, in).value;
  const double difference = relative_difference(plain, run(*loss, other).value);
  expect(difference < 1e-5, [&] {
    return "channels_last memory gives another value (relative difference " + std::to_string(difference) + ")";
  });
}

void check_inputs(const Subject& s) {
  BenchContext context(s);
  const auto loss = sound_loss(s, context);
  const Pair in = example(usual);
  const Pair given{in.logits.clone(), in.target.clone()};
  loss->forward(given.logits, given.target);
  for (const auto& [name, before, after] :
       {std::tuple{"target", in.target, given.target}, std::tuple{"logits", in.logits, given.logits}})
    expect(same(before, after), [what = std::string(name)] {
      return "forward changes the " + what +
             " that it is given, which the other terms of the loss read too: an "
             "operation whose name ends in _ (mul_, clamp_, ...) works in place; take the one without _, or clone "
             "first";
    });
}

void check_gradients(const Subject& s) {
  BenchContext context(s);
  const auto loss = sound_loss(s, context);
  const Pair single = example({2, 2, 3, 4}, 5);
  const Pair in{single.logits.to(at::kDouble), single.target.to(at::kDouble)};
  const at::Tensor gradient = run(*loss, in).gradient;
  expect(all_finite(gradient), "the gradient is not finite");
  // Central differences in double precision: their own error is about 1e-9 of the value.
  constexpr double step = 1e-5;
  double worst = 0;
  double most = 1e-6;
  for (std::int64_t i = 0; i < in.logits.numel(); ++i) {
    const auto shifted = [&](double by) {
      const at::Tensor logits = in.logits.clone();
      logits.mutable_data_ptr<double>()[i] += by;
      return value_of(*loss, {logits, in.target}).sum().item<double>();
    };
    const double expected = (shifted(step) - shifted(-step)) / (2 * step);
    const double found = gradient.const_data_ptr<double>()[i];
    worst = std::max(worst, std::abs(expected - found));
    most = std::max(most, std::abs(expected));
  }
  expect(worst < 1e-4 * most, [&] {
    return "the gradient differs from finite differences by " + Value(worst / most).str() +
           " of its largest value; expected under 0.0001";
  });
}

/// Targets that are never whole, so that one sample can have more, or less, than all the others.
Pair faint(const Pair& in) { return {in.logits, 0.2 + 0.4 * in.target}; }

struct Change {
  std::string of;
  Pair to;
};

/// `in` with another entry `index` of dimension `dim`, all else alike: with sums, largest and smallest values changed.
std::vector<Change> changes(const Pair& in, std::int64_t dim, std::int64_t index) {
  std::vector<Change> out;
  const auto add = [&](const std::string& of, const auto& change) {
    Change one{of, {in.logits.clone(), in.target.clone()}};
    change((of == "logits" ? one.to.logits : one.to.target).select(dim, index));
    out.push_back(one);
  };
  add("logits", [](at::Tensor part) { part.add_(2.5); });
  add("logits", [](at::Tensor part) { part.mul_(3); });
  add("target", [](at::Tensor part) { part.fill_(1); });
  add("target", [](at::Tensor part) { part.fill_(0); });
  return out;
}

/// Throws Failed(message(what was changed)) when a value at another place of dimension `dim` than 1 changes with it.
template <class Message>
void require_independent(const Loss& loss, const Pair& in, std::int64_t dim, const Message& message) {
  const at::Tensor before = value_of(loss, in);
  for (const Change& change : changes(in, dim, 1)) {
    const at::Tensor after = value_of(loss, change.to);
    for (const std::int64_t other : {0, 2})
      expect(relative_difference(before.select(dim, other), after.select(dim, other)) < 1e-6,
             [&] { return message(change.of); });
  }
}

void check_samples(const Subject& s) {
  BenchContext context(s);
  const auto loss = sound_loss(s, context);
  const Pair in = example(usual);
  if (value_of(*loss, in).size(0) == 1) throw Skipped("its value belongs to the batch as a whole");
  for (const Pair& pair : {in, faint(in)})
    require_independent(*loss, pair, 0, [](const std::string& of) {
      return "the value of a sample changes with the " + of +
             " of another sample of the batch; return [1, C] when it belongs to the batch";
    });
}

void check_classes(const Subject& s) {
  BenchContext context(s);
  const auto loss = sound_loss(s, context);
  if (dynamic_cast<const CouplesClasses*>(loss.get()) != nullptr) throw Skipped("it says that it couples classes");
  const Pair in = example({3, 3, 8, 12});
  for (const Pair& pair : {in, faint(in)})
    require_independent(*loss, pair, 1, [](const std::string& of) {
      return "the value of a class changes with the " + of +
             " of another class, so that class weights would weigh something else; a loss that means to inherits "
             "nephron::CouplesClasses";
    });
}

void check_determinism(const Subject& s) {
  BenchContext context(s);
  const auto one = sound_loss(s, context);
  const auto two = sound_loss(s, context);
  const Pair in = example(usual);
  const Outcome first = run(*one, in);
  for (const auto& loss : {one, two}) {
    const Outcome again = run(*loss, in);
    expect(same(first.value, again.value) && same(first.gradient, again.gradient), [&] {
      return loss == one ? "a second call with equal input gives another result"
                         : "a second instance with equal parameters gives another result";
    });
  }
}

/// A warm-up, a cache or a running mean shows late.
void check_state(const Subject& s) {
  BenchContext context(s);
  const auto loss = sound_loss(s, context);
  const Pair in = example({1, 2, 4, 4});
  const at::Tensor first = value_of(*loss, in);
  repeat(1000, 0.5, [&](std::uint64_t) { value_of(*loss, in); });
  expect(same(first, value_of(*loss, in)),
         "after many calls, equal input gives another result: it keeps state; a loss is a function of its parameters, "
         "logits and target alone");
}

void check_randomness(const Subject& s) {
  BenchContext context(s);
  const auto loss = sound_loss(s, context);
  const Pair in = example(usual);
  RandomWatch watch;
  run(*loss, in);
  watch.require_untouched();
}

void check_threads(const Subject& s) {
  BenchContext context(s);
  const auto loss = sound_loss(s, context);
  constexpr std::size_t threads = 4;
  std::vector<Pair> inputs;
  std::vector<at::Tensor> serial;
  for (std::size_t i = 0; i < threads; ++i) {
    inputs.push_back(example(usual, 10 * i + 1));
    serial.push_back(value_of(*loss, inputs[i]));
  }
  on_threads(threads, [&](std::size_t i) {
    for (int round = 0; round < 20; ++round)
      expect(same(value_of(*loss, inputs[i]), serial[i]),
             "calls from several threads at once give other results than one after the other");
  });
}

void check_extremes(const Subject& s) {
  BenchContext context(s);
  const auto loss = sound_loss(s, context);
  const Pair in = example(usual);
  const auto require_finite = [&](const Pair& pair, const std::string& what) {
    const Outcome out = run(*loss, pair);
    expect(all_finite(out.value), [&] { return "the value for " + what + " is not finite"; });
    expect(all_finite(out.gradient), [&] { return "the gradient for " + what + " is not finite"; });
  };
  for (const auto& [target, name] :
       {std::pair{at::zeros_like(in.target), "an empty target"}, std::pair{at::ones_like(in.target), "a full target"}})
    for (const double scale : {1.0, 30.0, 1e4})
      require_finite({in.logits * scale, target}, std::string(name) + " and logits up to " + Value(3 * scale).str());
  // A network that is sure of itself: probabilities that are 0, or 1, everywhere, and quotients of 0 and 0.
  for (const double level : {-1e4, -100.0, 100.0, 1e4})
    for (const bool full : {false, true})
      require_finite({at::full_like(in.logits, level), at::full_like(in.target, full ? 1.0 : 0.0)},
                     std::string(full ? "a full" : "an empty") + " target and all logits " + Value(level).str());
  require_finite({at::zeros_like(in.logits), in.target}, "logits of 0");
  require_finite(example({1, 1, 1, 1}), "a single pixel");
}

constexpr std::int64_t unknown = 6;  // columns of which nothing is known

/// As the host asks a loss that looks at more than logits and target: where some pixels count 0, and late in a
/// training.
Outcome run_partly_known(const InputLoss& loss, const Pair& in, double progress) {
  at::Tensor weights = at::ones_like(in.target);
  weights.narrow(3, 0, unknown).fill_(0);
  const at::Tensor leaf = in.logits.clone().requires_grad_(true);
  LossInput input(leaf * 1, in.target);
  input.set_pixel_weights(weights);
  input.set_progress(progress, 3);
  input.provide(loss.needs());
  const at::Tensor value = loss.value(input);
  require_value(value, leaf);
  value.sum().backward();
  return {value.detach(), leaf.grad()};
}

void check_pixels(const Subject& s) {
  BenchContext context(s);
  const auto loss = s.make<Loss>(context);
  const auto* asks = dynamic_cast<const InputLoss*>(loss.get());
  if (asks == nullptr) throw Skipped("it looks at logits and target alone");
  const Pair in = example(usual);
  Pair other{in.logits.clone(), in.target.clone()};
  other.logits.narrow(3, 0, unknown).mul_(-4);
  other.target.narrow(3, 0, unknown).fill_(1);
  for (const double progress : {0.0, 0.5, 1.0}) {
    const Outcome found = run_partly_known(*asks, in, progress);
    expect(all_finite(found.value) && all_finite(found.gradient),
           "with pixels that count 0, value or gradient are not finite");
    expect(found.gradient.narrow(3, 0, unknown).abs().max().item<double>() == 0,
           "pixels that count 0 (nothing is known of them) are learnt from: weigh by pixel_weights(), as pixel_mean() "
           "does");
    const Outcome again = run_partly_known(*asks, other, progress);
    expect(relative_difference(found.value, again.value) < 1e-6 &&
               relative_difference(found.gradient, again.gradient) < 1e-6,
           "other logits and targets in pixels that count 0 give another value or gradient: whatever is summed, "
           "counted or compared has to leave these pixels out");
  }
}

void check_cuda(const Subject& s) {
  if (s.cuda.empty()) throw Skipped(s.no_cuda_because);
  BenchContext context(s, s.cuda);
  const auto loss = sound_loss(s, context);
  const Pair in = example(usual);
  const Pair moved{in.logits.to(at::Device(s.cuda)), in.target.to(at::Device(s.cuda))};
  const Outcome there = run(*loss, moved);
  expect(there.value.device() == moved.logits.device(), "the value of CUDA tensors is not on their device");
  const Outcome here = run(*loss, in);
  expect(
      relative_difference(here.value, there.value) < 1e-4 && relative_difference(here.gradient, there.gradient) < 1e-4,
      "value or gradient on CUDA differ from the CPU's by more than 0.0001");
}

}  // namespace

std::vector<Check> loss_checks() {
  return {
      {"shapes", "forward returns [N, C] or [1, C] of the logits' type, finite", &check_shapes},
      {"memory", "channels_last gives the same", &check_memory_formats},
      {"inputs", "logits and target are left alone", &check_inputs},
      {"gradients", "gradients agree with finite differences in double precision", &check_gradients},
      {"samples", "a sample's value does not depend on the others", &check_samples},
      {"classes", "a class's value does not depend on the others, or the loss says so", &check_classes},
      {"determinism", "equal input gives equal results, from every instance", &check_determinism},
      {"state", "a result is the same after many others", &check_state},
      {"randomness", "no random numbers are drawn", &check_randomness},
      {"threads", "calls at once give what calls in turn give", &check_threads},
      {"extremes", "empty and full targets, huge logits, sure ones and a single pixel give finite results",
       &check_extremes},
      {"pixels", "pixels that count 0 are not learnt from, and what they hold changes nothing", &check_pixels},
      {"cuda", "CUDA tensors work, and agree with the CPU", &check_cuda},
  };
}

}  // namespace nephron::conformance
