#pragma once

#include <compare>
#include <cstdint>

namespace nephron::host {

/// A sample of a training feed, in the order in which they are used.
struct SampleNumber {
  std::uint64_t epoch = 0;
  std::int64_t index = 0;
  auto operator<=>(const SampleNumber&) const = default;
};

/// The sample that this thread is making; null when it makes none.
const SampleNumber* current_sample() noexcept;

/// Says which one it is, while it is made.
class SampleScope {
 public:
  explicit SampleScope(const SampleNumber& number) noexcept;
  ~SampleScope();
  SampleScope(const SampleScope&) = delete;
  SampleScope& operator=(const SampleScope&) = delete;

 private:
  const SampleNumber* before_;
};

}  // namespace nephron::host
