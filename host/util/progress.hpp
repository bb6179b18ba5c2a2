#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace nephron::host {

/// One progress line on stderr with ETA: redrawn on a terminal, a plain line every few seconds otherwise.
/// Quiet for work that ends within two seconds.
class Progress {
 public:
  Progress(std::string what, std::int64_t total);
  ~Progress();
  /// `note`: shown behind the count, such as the loss. `share` of all work that is done, 0 to 1, for the ETA; where
  /// none is given, every item takes as long as another.
  void update(std::int64_t done, std::string_view note = {}, double share = -1);
  void finish();

 private:
  void draw(bool last);
  std::string what_;
  std::string note_;
  std::int64_t total_ = 0;
  std::int64_t done_ = 0;
  double share_ = 0;
  bool terminal_ = false;
  bool drawn_ = false;
  std::chrono::steady_clock::time_point start_, last_;
};

/// "  ETA 3 min 05 s" after `seconds` for `share` of all work; empty while nothing can be said.
std::string eta_text(double seconds, double share);

/// "1 h 02 min", "3 min 05 s", "12 s".
std::string duration_text(double seconds);

}  // namespace nephron::host
