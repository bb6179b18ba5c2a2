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

 private:
  const Call* before_;
};

/// A backward pass is under way, on this thread and on those of LibTorch's engine, until the scope ends.
class PassScope {
 public:
  PassScope() noexcept;
  ~PassScope();
  PassScope(const PassScope&) = delete;
  PassScope& operator=(const PassScope&) = delete;
  /// The pass has come to this call on this thread, which is in it where no scope of the thread says otherwise, and
  /// forgets it with the pass. Outside of one nothing happens.
  static void reached(const Call* call) noexcept;

 private:
  CallScope own_;
};

/// SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT write the current call of the thread that they hit on stderr; then they
/// do what they would have done. Under a sanitizer, which reports by itself, they are left alone. exit() within a call
/// names it as well, and the program ends with code 1, whatever was handed to exit().
void catch_crashes();

}  // namespace nephron::host
