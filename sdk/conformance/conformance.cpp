#include <conformance/conformance.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <sstream>
#include <utility>

#include <nephron/augmentation.hpp>
#include <nephron/batch_augmentation.hpp>
#include <nephron/decoder.hpp>
#include <nephron/encoder.hpp>
#include <nephron/sampler.hpp>

#include <conformance/kind_checks.hpp>

namespace nephron::conformance {

namespace {

constexpr std::pair<std::string_view, std::vector<Check> (*)()> kinds_with_checks[] = {
    {"reader", &reader_checks},
    {"dataset", &dataset_checks},
    {"sampler", &sampler_checks},
    {"augmentation", &augmentation_checks},
    {"batch_augmentation", &batch_augmentation_checks},
    {"encoder", &encoder_checks},
    {"decoder", &decoder_checks},
    {"loss", &loss_checks},
    {"metric", &metric_checks},
};

}  // namespace

std::vector<Check> checks_of(std::string_view kind) {
  std::vector<Check> out = any_checks();
  for (const auto& [name, checks] : kinds_with_checks)
    if (name == kind)
      for (Check& c : checks()) out.push_back(std::move(c));
  return out;
}

namespace {

bool is_module(std::string_view kind) { return kind == Encoder::kind || kind == Decoder::kind; }

/// Two lists of numbers, up to rounding.
bool same_numbers(const std::string& one, const std::string& other) {
  std::istringstream left(one), right(other);
  double a = 0, b = 0;
  while (left >> a) {
    if (!(right >> b) || std::abs(a - b) > 1e-3 * std::max({0.1, std::abs(a), std::abs(b)})) return false;
  }
  return !(right >> b);
}

}  // namespace

std::string trace_of(const Subject& subject) {
  if (subject.kind == Encoder::kind) return encoder_trace(subject);
  if (subject.kind == Decoder::kind) return decoder_trace(subject);
  std::string drawn;
  if (subject.kind == Sampler::kind) drawn = sampler_trace(subject);
  if (subject.kind == Augmentation::kind) drawn = augmentation_trace(subject);
  if (subject.kind == BatchAugmentation::kind) drawn = batch_augmentation_trace(subject);
  return drawn.empty() ? drawn : std::to_string(std::hash<std::string>{}(drawn));
}

std::string trace_fault(std::string_view kind, const std::string& one, const std::string& other) {
  const std::string there = "in another process, a second later, ";
  if (one == other) return {};
  if (!is_module(kind))
    return there +
           "an equal Rng draws something else: is something seeded by a clock, std::random_device or an address? "
           "Random "
           "numbers come from the Rng that is handed in (SDK rule 5)";
  if (same_numbers(one, other)) return {};
  return there +
         "equal first weights and an equal input give something else: is something drawn in forward() and kept, or do "
         "first weights not come from LibTorch's generator? What is drawn once is drawn in build() and registered "
         "(register_buffer), so that it is saved with the weights";
}

}  // namespace nephron::conformance
