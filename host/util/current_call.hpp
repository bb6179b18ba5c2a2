#pragma once

namespace nephron::host {

/// The call into a plugin that a thread is in, for whoever has to name it when the process dies. Texts outlive the
/// call; null or "" where nothing is known.
struct Call {
  const char* plugin = nullptr;
  const char* component = nullptr;
  const char* place = nullptr;
  const char* doing = nullptr;
};

/// The innermost call of this thread; null outside of plugins.
const Call* current_call() noexcept;

/// Makes `call` this thread's current one until the scope ends. `call` may be null, and outlives the scope.
class CallScope {
 public:
  explicit CallScope(const Call* call) noexcept;
  ~CallScope();
  CallScope(const CallScope&) = delete;
  CallScope& operator=(const CallScope&) = delete;
  /// Another call takes the place of this thread's innermost one, until the scope around it ends.
  static void replace(const Call* call) noexcept;

 private:
  const Call* before_;
};

/// SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT write the current call of the thread that they hit on stderr; then they
/// do what they would have done. Under a sanitizer, which reports by itself, they are left alone. exit() within a call
/// names it as well, and the program ends with code 1, whatever was handed to exit().
void catch_crashes();

}  // namespace nephron::host
