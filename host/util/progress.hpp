#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace nephron::host {

/// How long what is left takes: `more` like the `done` that took `seconds`, and after these `behind`. "ETA 12 s", or
/// with something behind "ETA 12 s, of everything 1 min 30 s"; "" when nothing is done yet.
std::string eta_text(double seconds, std::int64_t done, std::int64_t more, std::int64_t behind);

/// What a progress line tells.
struct ProgressState {
  std::string what;
  std::int64_t done = 0, total = 0;
  std::string note;
};
/// From here on progress goes to `listener`, twice a second at most, and to no terminal: of a process that works for
/// another one.
void hand_progress_to(std::function<void(const ProgressState&)> listener);

/// One progress line on stderr with ETA: redrawn on a terminal, a plain line every few seconds otherwise.
/// Quiet for work that ends within two seconds.
class Progress {
 public:
  /// `before`: how much of `total` other processes have done. `behind`: what this command does after that.
  Progress(std::string what, std::int64_t total, std::int64_t before = 0, std::int64_t behind = 0);
  ~Progress();
  /// `note`: shown behind the count, such as the loss. `share` of all work that is done, 0 to 1, for the ETA; where
  /// none is given, every item takes as long as another.
  void update(std::int64_t done, std::string_view note = {}, double share = -1);
  void finish();
  /// What the line says of the time that is left, `seconds` after the start of this process's share.
  std::string eta(double seconds) const;

 private:
  void draw(bool last);
  std::string what_;
  std::string note_;
  std::int64_t total_ = 0;
  std::int64_t before_ = 0, behind_ = 0;
  std::int64_t done_ = 0;
  double share_ = -1;  ///< below 0: not told
  bool terminal_ = false;
  bool drawn_ = false;
  std::chrono::steady_clock::time_point start_, last_;
};

/// "1 h 02 min", "3 min 05 s", "12 s".
std::string duration_text(double seconds);

}  // namespace nephron::host
