#include <host/registry/metrics_tail.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>

#include <fcntl.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include <nephron/error.hpp>

#include <host/util/checked_json.hpp>

namespace nephron::host {

namespace {

constexpr std::size_t block = std::size_t{32} << 10;
constexpr std::size_t most_bytes = std::size_t{8} << 20;

/// Text at the end of a file that grows towards the file's begin, block by block.
class GrowingEnd {
 public:
  explicit GrowingEnd(const std::filesystem::path& file) : name_(file.string()) {
    fd_ = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd_ < 0) throw Error("cannot read " + name_ + ": " + std::strerror(errno));
    start_ = std::max<off_t>(0, ::lseek(fd_, 0, SEEK_END));
  }
  ~GrowingEnd() { ::close(fd_); }
  GrowingEnd(const GrowingEnd&) = delete;
  GrowingEnd& operator=(const GrowingEnd&) = delete;

  /// False when there is no more, or enough.
  bool grow() {
    if (start_ == 0 || text_.size() >= most_bytes) return false;
    const std::size_t size = std::min<std::size_t>(block, static_cast<std::size_t>(start_));
    std::string more(size, '\0');
    const ssize_t n = ::pread(fd_, more.data(), size, start_ - static_cast<off_t>(size));
    if (n != static_cast<ssize_t>(size)) return false;  // it shrank meanwhile
    start_ -= static_cast<off_t>(size);
    text_.insert(0, more);
    return true;
  }
  /// A line of which the begin is not read yet is not whole.
  bool begins_at_line() const { return start_ == 0; }
  const std::string& text() const { return text_; }

 private:
  std::string name_, text_;
  int fd_ = -1;
  off_t start_ = 0;
};

MetricsLog::Values values_of(const JsonNode& line) {
  MetricsLog::Values out;
  for (const auto& [name, value] : line.members())
    if (value.raw().is_number()) out.emplace_back(name, value.number());
  return out;
}

JsonNode parsed(const std::string& line, const std::filesystem::path& file) {
  const JsonNode out = JsonNode::parse(line, "a line near the end of " + file.string());
  if (!out.raw().is_object()) out.refuse("is no line of metrics");
  return out;
}

}  // namespace

MetricsTail read_metrics_tail(const std::filesystem::path& file) {
  GrowingEnd end(file);
  MetricsTail out;
  std::size_t seen = 0;  // bytes of the end that are done with
  while (end.grow()) {
    const std::string& text = end.text();
    if (seen == 0) {
      const std::size_t last_break = text.rfind('\n');
      if (last_break == std::string::npos) continue;
      seen = text.size() - last_break - 1;
    }
    while (true) {
      const std::size_t stop = text.size() - seen;  // just behind a line break
      if (stop == 0) break;
      const std::size_t before = stop >= 2 ? text.rfind('\n', stop - 2) : std::string::npos;
      if (before == std::string::npos && !end.begins_at_line()) break;
      const std::size_t begin = before == std::string::npos ? 0 : before + 1;
      const std::string line = text.substr(begin, stop - 1 - begin);
      seen = text.size() - begin;
      const bool validates = !out.validation && line.find("\"dice\":") != std::string::npos;
      const bool is_of_step = !out.last && line.find("\"loss\":") != std::string::npos;
      if (!out.step || validates || is_of_step) {
        const JsonNode json = parsed(line, file);
        if (!out.step) out.step = json.at("step").integer(0, INT64_MAX);
        if (is_of_step) out.last = values_of(json);
        if (validates) out.validation = values_of(json);
      }
      if (out.last && out.validation) return out;
    }
  }
  return out;
}

}  // namespace nephron::host
