#include <host/util/printable.hpp>
#include <host/util/progress.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include <sys/ioctl.h>
#include <unistd.h>

namespace nephron::host {

using clock = std::chrono::steady_clock;

std::string duration_text(double seconds) {
  const auto s = static_cast<long long>(std::llround(std::max(0.0, seconds)));
  char text[64];
  if (s >= 3600) std::snprintf(text, sizeof text, "%lld h %02lld min", s / 3600, s / 60 % 60);
  else if (s >= 60) std::snprintf(text, sizeof text, "%lld min %02lld s", s / 60, s % 60);
  else std::snprintf(text, sizeof text, "%lld s", s);
  return text;
}

std::string eta_text(double seconds, std::int64_t done, std::int64_t more, std::int64_t behind) {
  if (done <= 0) return {};
  const double each = seconds / static_cast<double>(done);
  const auto left = [&](std::int64_t n) { return duration_text(each * static_cast<double>(n)); };
  return "ETA " + left(more) + (behind > 0 ? ", of everything " + left(more + behind) : "");
}

namespace {
std::function<void(const ProgressState&)>& listener() {
  static std::function<void(const ProgressState&)> instance;
  return instance;
}
}  // namespace

void hand_progress_to(std::function<void(const ProgressState&)> to) { listener() = std::move(to); }

Progress::Progress(std::string what, std::int64_t total, std::int64_t before, std::int64_t behind)
    : what_(std::move(what)),
      total_(total),
      before_(before),
      behind_(behind),
      done_(before),
      terminal_(isatty(STDERR_FILENO) == 1),
      start_(clock::now()),
      last_(start_) {}

Progress::~Progress() { finish(); }

void Progress::update(std::int64_t done, std::string_view note, double share) {
  done_ = done;
  share_ = share;
  note_ = note;
  const auto now = clock::now();
  const std::chrono::duration<double> since = now - last_, all = now - start_;
  if (listener()) {
    if (since.count() < 0.5 && done > before_ + 1) return;
    last_ = now;
    return listener()({what_, done_, total_, note_});
  }
  if (all.count() < 2 || since.count() < (terminal_ ? 0.1 : 5.0)) return;
  last_ = now;
  draw(false);
}

void Progress::finish() {
  if (drawn_ && terminal_) {
    draw(true);
    std::fputc('\n', stderr);
  }
  drawn_ = false;
}

std::string Progress::eta(double seconds) const {
  if (share_ > 0) return "ETA " + duration_text(seconds / share_ * (1 - std::min(1.0, share_)));
  return share_ < 0 && total_ > 0 ? eta_text(seconds, done_ - before_, total_ - done_, behind_) : std::string();
}

void Progress::draw(bool last) {
  const std::chrono::duration<double> all = clock::now() - start_;
  std::string line = printable_name(what_) + "  " + std::to_string(done_);
  if (total_ > 0) line += "/" + std::to_string(total_);
  if (!note_.empty()) line += "  " + printable_name(note_);
  if (last) line += "  " + duration_text(all.count());
  else if (const std::string left = eta(all.count()); !left.empty()) line += "  " + left;
  if (terminal_) {
    winsize size = {};
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 && line.size() >= size.ws_col)
      line.resize(size.ws_col - 1U);
    std::fprintf(stderr, "\r\033[K%s", line.c_str());
  } else {
    std::fprintf(stderr, "%s\n", line.c_str());
  }
  std::fflush(stderr);
  drawn_ = true;
}

}  // namespace nephron::host
