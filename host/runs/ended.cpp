#include <host/runs/ended.hpp>

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

}  // namespace

fs::path ended_file(const fs::path& run) { return run / "ended.json"; }

void write_ended(const fs::path& run, EndedBy by, const std::string& error, const std::string& hint) try {
  const std::size_t sessions = JsonNode::read(run / "environment.json").at("sessions").items().size();
  const nlohmann::ordered_json out{
      {"session", sessions}, {"how", words_of(by)}, {"error", error}, {"hint", hint}, {"at", time_text()}};
  write_file_atomically(ended_file(run), out.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
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
