#include <host/runs/ended.hpp>

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include <nephron/error.hpp>

#include <host/runs/here_and_now.hpp>
#include <host/util/checked_json.hpp>
#include <host/util/files.hpp>
#include <host/util/log.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

constexpr const char* words_of(EndedBy by) {
  return by == EndedBy::error ? "failed" : by == EndedBy::pause ? "paused" : "interrupted";
}

EndedBy ended_by(const std::string& words) {
  for (const EndedBy by : {EndedBy::interruption, EndedBy::pause})
    if (words == words_of(by)) return by;
  return EndedBy::error;
}

/// A block of a usual disk. Written over, it takes no new one.
constexpr std::size_t reserved_bytes = 4096;

fs::path reserve_of(const fs::path& run) { return run / ".ended.reserve"; }

std::string text_of(const SessionEnd& end) {
  const nlohmann::ordered_json out{
      {"session", end.session}, {"how", words_of(end.by)}, {"error", end.error}, {"hint", end.hint}, {"at", end.at}};
  return out.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

/// Over what was put aside, which then bears its name. False where nothing was.
bool write_into_reserve(const fs::path& run, SessionEnd end) {
  constexpr std::size_t most_letters = 1500;
  for (std::string* const text : {&end.error, &end.hint}) text->resize(std::min(text->size(), most_letters));
  std::string text = text_of(end);
  if (text.size() > reserved_bytes) end.error = end.hint = "", text = text_of(end);  // of letters that need escapes
  text.resize(reserved_bytes, ' ');
  const int fd = ::open(reserve_of(run).c_str(), O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return false;
  const bool good = ::pwrite(fd, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size());
  ::close(fd);
  return good && ::rename(reserve_of(run).c_str(), ended_file(run).c_str()) == 0;
}

}  // namespace

fs::path ended_file(const fs::path& run) { return run / "ended.json"; }

void reserve_ended(const fs::path& run) {
  const int fd = ::open(reserve_of(run).c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
  if (fd < 0) return;
  const std::string blanks(reserved_bytes, ' ');
  const bool good = ::write(fd, blanks.data(), blanks.size()) == static_cast<ssize_t>(blanks.size());
  ::close(fd);
  if (!good) release_ended(run);
}

void release_ended(const fs::path& run) { ::unlink(reserve_of(run).c_str()); }

void write_ended(const fs::path& run, EndedBy by, const std::string& error, const std::string& hint) try {
  const std::size_t sessions = JsonNode::read(run / "environment.json").at("sessions").items().size();
  const SessionEnd end{static_cast<std::int64_t>(sessions), by, error, hint, time_text()};
  try {
    write_file_atomically(ended_file(run), text_of(end));
  } catch (const std::exception&) {
    if (!write_into_reserve(run, end)) throw;
  }
} catch (const std::exception& e) {
  log().debug("how the run ended is not written down: " + std::string(e.what()));
}

std::optional<SessionEnd> read_ended(const fs::path& run) {
  const fs::path file = ended_file(run);
  std::error_code failed;
  if (!fs::exists(file, failed)) return std::nullopt;
  const JsonNode json = JsonNode::read(file, "Remove it: the run then counts as killed.");
  SessionEnd out;
  out.session = json.at("session").integer(0, 1000000);
  out.by = ended_by(json.at("how").text());
  out.error = json.at("error").text();
  out.hint = json.at("hint").text();
  out.at = json.at("at").text();
  return out;
}

}  // namespace nephron::host
