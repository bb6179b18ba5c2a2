#include <host/util/interrupt.hpp>

#include <atomic>
#include <csignal>

#include <unistd.h>

namespace nephron::host {

namespace {
std::atomic<bool> flag{false};
static_assert(std::atomic<bool>::is_always_lock_free);

extern "C" void on_signal(int) {
  if (flag.exchange(true)) _exit(130);
}
}  // namespace

void catch_interrupts() {
  struct sigaction action = {};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

bool interrupted() noexcept { return flag.load(std::memory_order_relaxed); }
void set_interrupted(bool value) noexcept { flag.store(value); }

}  // namespace nephron::host
