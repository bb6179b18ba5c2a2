#include <conformance/conformance.hpp>

#include <utility>

#include <conformance/kind_checks.hpp>

namespace nephron::conformance {

namespace {

constexpr std::pair<std::string_view, std::vector<Check> (*)()> kinds_with_checks[] = {
    {"reader", &reader_checks},   {"dataset", &dataset_checks},
    {"sampler", &sampler_checks}, {"augmentation", &augmentation_checks},
    {"encoder", &encoder_checks}, {"decoder", &decoder_checks},
    {"loss", &loss_checks},
};

}  // namespace

std::vector<Check> checks_of(std::string_view kind) {
  std::vector<Check> out = any_checks();
  for (const auto& [name, checks] : kinds_with_checks)
    if (name == kind)
      for (Check& c : checks()) out.push_back(std::move(c));
  return out;
}

}  // namespace nephron::conformance
