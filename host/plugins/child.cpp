#include <host/plugins/child.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <thread>

#include <sys/resource.h>

#include <nephron/error.hpp>

#include <host/util/interrupt.hpp>

namespace nephron::host {

namespace {

using Clock = std::chrono::steady_clock;

// Starting a program that is linked with LibTorch takes seconds on a busy machine; that is nobody's hang.
constexpr double starting_patience = 60;

}  // namespace

ChildEnd run_child(const std::vector<std::string>& command, double patience,
                   const std::function<void(std::string_view)>& on_report) {
  auto last_word = Clock::now();
  ChildProcess child(command, [&](std::string_view text) {
    last_word = Clock::now();
    on_report(text);
  });
  ChildProcess* const one = &child;
  bool silent = false;
  while (!child.ended()) {
    const double silence = std::chrono::duration<double>(Clock::now() - last_word).count();
    if (interrupted() || silence > (child.has_reported() ? patience : std::max(patience, starting_patience))) {
      silent = !interrupted();
      child.kill();
      break;
    }
    if (child.speaks()) ChildProcess::listen({&one, 1}, 50);
    else std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  if (interrupted()) throw Cancelled();
  ChildEnd end = child.end();
  end.silent = silent;
  end.patience = patience;
  return end;
}

void enter_child() {
  die_with_parent();
  for (const int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) ::signal(number, SIG_DFL);
  constexpr rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
}

}  // namespace nephron::host
