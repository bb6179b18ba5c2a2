#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace nephron::host {

/// File descriptor on which a child reports to its parent; stdout and stderr belong to whatever runs in it.
inline constexpr int report_descriptor = 3;

/// How a child process ended.
struct ChildEnd {
  int code = 0;         ///< exit code, when it ended by itself
  int signal = 0;       ///< signal that killed it, or 0
  bool silent = false;  ///< it was stopped because it reported nothing for too long
  double patience = 0;  ///< seconds that it was given between two reports
  std::string output;   ///< the end of what it wrote on stdout and stderr

  /// "it was killed by signal 11 (Segmentation fault)": how it ended, with the last words of its output.
  std::string text() const;
};

/// A program that runs beside this one: its stdin closed unless it is to be told something, a process group of its own,
/// so that a terminal's Ctrl-C reaches this program alone.
class ChildProcess {
 public:
  /// `on_report`: is handed what it writes on `report_descriptor`, as it comes. Throws Error when it cannot be started.
  /// `listens`: it reads what tell() says on its stdin.
  ChildProcess(const std::vector<std::string>& command, std::function<void(std::string_view)> on_report,
               bool listens = false);
  /// Kills it, and whatever it started.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  /// Waits so long for a word of any of them, and takes in what is there; false when there was none.
  static bool listen(std::span<ChildProcess* const> children, int milliseconds);
  /// Whether a word may still come.
  bool speaks() const noexcept { return output_ >= 0 || report_ >= 0; }
  bool has_reported() const noexcept { return reported_; }
  /// Whether it ended by itself or by a signal. Then what it started is killed, and what it said last is taken in.
  bool ended();
  /// Few words, which it takes in when it likes. Of one that is gone nothing comes of it.
  void tell(std::string_view text) noexcept;
  void tell_no_more() noexcept;            ///< its stdin ends
  void signal(int number) const noexcept;  ///< to the child alone
  void kill() noexcept;                    ///< with whatever it started; waits for it
  const ChildEnd& end() const noexcept { return end_; }

 private:
  bool hear(int& descriptor, const std::function<void(std::string_view)>& sink);
  void finish(int status);

  pid_t pid_ = 0;
  int output_ = -1, report_ = -1, input_ = -1;
  bool reported_ = false, over_ = false;
  std::function<void(std::string_view)> on_report_;
  ChildEnd end_;
};

/// The program that runs and the arguments that it was given, to start another one like it.
std::vector<std::string> own_command();

/// For a child that must not outlive its parent, first of all.
void die_with_parent();

}  // namespace nephron::host
