#include <conformance/random_device_watch.hpp>

#include <atomic>

#include <sys/random.h>

namespace nephron::conformance {

namespace {
std::atomic<std::uint64_t> reads = 0;
}

std::uint64_t random_device_reads() noexcept { return reads; }

}  // namespace nephron::conformance

/// std::random_device::_M_getval() of libstdc++: what operator() calls. The result is as random as it was.
extern "C" [[gnu::visibility("default"), gnu::used]] unsigned _ZNSt13random_device9_M_getvalEv(void*) {
  ++nephron::conformance::reads;
  unsigned value = 0;
  while (::getrandom(&value, sizeof value, 0) != static_cast<ssize_t>(sizeof value)) {}
  return value;
}
