#include <host/util/current_call.hpp>

#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>

#include <unistd.h>

#include <host/util/mapped_places.hpp>

namespace nephron::host {

namespace {

// Known at compile time, so that a signal handler may read it.
constinit thread_local const Call* innermost = nullptr;
constinit thread_local const Call* reached = nullptr;  // of a backward pass
constinit thread_local std::uint64_t reached_in = 0;   // which one it was
constinit std::atomic<std::uint64_t> passes = 0;       // that have begun
constinit std::atomic<int> passes_now = 0;
constinit bool catching = false;

/// The engine's threads have no scope that ends with a pass: what an earlier one came to is nobody's any more.
const Call* known() noexcept {
  if (innermost != nullptr) return innermost;
  return passes_now > 0 && reached_in == passes ? reached : nullptr;
}

/// A handler cannot run on a stack that has overflowed. One for each thread that calls into plugins.
class SignalStack {
 public:
  SignalStack() : memory_(new std::uint8_t[size]) {
    stack_t mine = {};
    mine.ss_sp = memory_.get();
    mine.ss_size = size;
    ::sigaltstack(&mine, nullptr);
  }
  ~SignalStack() {
    stack_t none = {};
    none.ss_flags = SS_DISABLE;
    ::sigaltstack(&none, nullptr);
  }
  SignalStack(const SignalStack&) = delete;
  SignalStack& operator=(const SignalStack&) = delete;

 private:
  static constexpr std::size_t size = std::size_t{64} << 10;  // registers of AVX-512 and AMX are saved on it
  std::unique_ptr<std::uint8_t[]> memory_;
};

void say(const char* text) {
  std::size_t left = std::strlen(text);
  while (left > 0) {
    const ssize_t n = ::write(STDERR_FILENO, text, left);
    if (n <= 0) return;
    text += n;
    left -= static_cast<std::size_t>(n);
  }
}

void say(const char* before, const char* text) {
  if (text == nullptr || *text == '\0') return;
  say(before);
  say(text);
}

const char* name_of(int signal) {
  switch (signal) {
    case SIGSEGV:
      return "SIGSEGV, an access to memory that is not there";
    case SIGBUS:
      return "SIGBUS, an access to memory or a mapped file that is gone";
    case SIGFPE:
      return "SIGFPE, a division of a whole number by 0";
    case SIGILL:
      return "SIGILL, an instruction that this processor has not";
    default:
      return "SIGABRT";
  }
}

/// A mapped file that is gone under our feet is no fault of the program: it is named, and the program ends.
void end_for_want_of_file(const siginfo_t* info) {
  const char* const file = info != nullptr && info->si_code > 0 ? mapped_file_at(info->si_addr) : nullptr;
  if (file == nullptr) return;
  say("\nerror: ");
  say(file);
  say(" was cut short, or its disk failed, while it was read\n");
  say("  ", mapping_advice());
  say("\n");
  ::_exit(1);
}

void say_call(const Call& call) {
  const bool whole = call.component == nullptr || *call.component == '\0';  // no component: the plugin's own code
  say(" in ", call.component);
  say(whole ? " in plugin " : " of plugin ", call.plugin);
  say(" ", call.doing);
  say(" (", call.place);
  if (call.place != nullptr && *call.place != '\0') say(")");
}

/// Whoever called exit() is still in its call: a program that ends so has done nothing of what it was asked for.
void on_exit() {
  const Call* const call = known();
  if (call == nullptr) return;
  say("\nerror: the program was ended by exit()");
  say_call(*call);
  say("\n  a plugin throws nephron::Error (SDK rule 6)\n");
  ::_exit(1);
}

/// Calls nothing but write(), strlen(), raise(), mmap(), signal() and _exit().
extern "C" void on_crash(int signal, siginfo_t* info, void*) {
  // Other threads may come upon the same loss meanwhile: only what ends the program gives the default action back.
  if (signal == SIGBUS && info != nullptr && info->si_code > 0 && bear_loss_at(info->si_addr)) return;
  if (signal == SIGBUS) end_for_want_of_file(info);
  ::signal(signal, SIG_DFL);
  const Call* const call = known();
  say("\nnephron died of ");
  say(name_of(signal));
  if (call == nullptr) {
    say(", outside of any plugin");
  } else {
    say_call(*call);
  }
  say("\n");
  if (info == nullptr || info->si_code <= 0) ::raise(signal);  // sent, not caused: returning would go on
}

}  // namespace

const Call* current_call() noexcept { return known(); }

CallScope::CallScope(const Call* call) noexcept : before_(innermost) {
  if (catching) {
    thread_local const SignalStack stack;
    static_cast<void>(stack);
  }
  innermost = call;
}

CallScope::~CallScope() { innermost = before_; }

PassScope::PassScope() noexcept : own_(nullptr) {
  ++passes;
  ++passes_now;
}

PassScope::~PassScope() { --passes_now; }

void PassScope::reached(const Call* call) noexcept {
  if (passes_now == 0) return;
  host::reached = call;
  reached_in = passes;
}

void catch_crashes() {
  std::atexit(&on_exit);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  struct sigaction action = {};
  action.sa_sigaction = on_crash;
  sigemptyset(&action.sa_mask);
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) {
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER | (signal == SIGBUS ? 0 : static_cast<int>(SA_RESETHAND));
    sigaction(signal, &action, nullptr);
  }
  catching = true;
#endif
}

}  // namespace nephron::host
