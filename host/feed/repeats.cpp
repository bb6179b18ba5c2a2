#include <host/feed/repeats.hpp>

#include <cmath>
#include <cstdint>

namespace nephron::host {

SampleNumber Repeats::window_of(const SampleNumber& sample) const noexcept {
  if (windows.empty()) return sample;
  const auto repeated_before = [this](std::int64_t index) {
    return static_cast<std::int64_t>(std::floor(static_cast<double>(index) * share));
  };
  const std::int64_t number = repeated_before(sample.index);
  if (repeated_before(sample.index + 1) == number) return sample;
  return windows[static_cast<std::size_t>(number) % windows.size()];
}

}  // namespace nephron::host
