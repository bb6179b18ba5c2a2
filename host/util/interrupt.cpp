#include <host/util/interrupt.hpp>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include <unistd.h>

namespace nephron::host {

namespace {
std::atomic<bool> flag{false};
static_assert(std::atomic<bool>::is_always_lock_free);

std::atomic<char*> last_words{nullptr};

/// Calls nothing but strlen(), write() and _exit().
extern "C" void on_signal(int) {
  if (!flag.exchange(true)) return;
  if (const char* const text = last_words.load(); text != nullptr)
    static_cast<void>(!::write(STDERR_FILENO, text, std::strlen(text)));
  _exit(130);
}
}  // namespace

void set_last_words(const char* text) noexcept { std::free(last_words.exchange(::strdup(text))); }

void catch_interrupts() {
  struct sigaction action = {};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  struct sigaction before = {};
  // A file that grows beyond a limit (ulimit -f) is one that cannot be written, which is said, and not the end.
  struct sigaction ignore = {};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGXFSZ, &ignore, nullptr);
  if (sigaction(SIGHUP, nullptr, &before) == 0 && before.sa_handler != SIG_IGN) sigaction(SIGHUP, &action, nullptr);
}

bool interrupted() noexcept { return flag.load(std::memory_order_relaxed); }
void set_interrupted(bool value) noexcept { flag.store(value); }

}  // namespace nephron::host
