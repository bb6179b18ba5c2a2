#include <host/feed/sample_number.hpp>

namespace nephron::host {

namespace {
thread_local const SampleNumber* current = nullptr;
}

const SampleNumber* current_sample() noexcept { return current; }

SampleScope::SampleScope(const SampleNumber& number) noexcept : before_(current) { current = &number; }

SampleScope::~SampleScope() { current = before_; }

}  // namespace nephron::host
