#include <conformance/conformance.hpp>

#include <functional>
#include <utility>

#include <nephron/augmentation.hpp>
#include <nephron/batch_augmentation.hpp>
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

std::string trace_of(const Subject& subject) {
  std::string drawn;
  if (subject.kind == Sampler::kind) drawn = sampler_trace(subject);
  if (subject.kind == Augmentation::kind) drawn = augmentation_trace(subject);
  if (subject.kind == BatchAugmentation::kind) drawn = batch_augmentation_trace(subject);
  return drawn.empty() ? drawn : std::to_string(std::hash<std::string>{}(drawn));
}

}  // namespace nephron::conformance
