#include <host/queue/enable.hpp>

#include <cstdlib>
#include <sstream>

#include <nephron/error.hpp>

#include <host/queue/tool.hpp>
#include <host/runs/here_and_now.hpp>
#include <host/util/files.hpp>
#include <host/util/pages.hpp>
#include <host/util/printable.hpp>
#include <host/util/shell_word.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

constexpr const char* unit = "nephron-queue.service";
constexpr const char* mark = "# nephron queue";
constexpr int not_there = 127;  ///< what run_tool() gives for a program that is none

bool has_home() { return std::getenv("XDG_CONFIG_HOME") != nullptr || std::getenv("HOME") != nullptr; }

fs::path unit_file() {
  const char* const config = std::getenv("XDG_CONFIG_HOME");
  const char* const home = std::getenv("HOME");
  if (config != nullptr && *config != '\0') return fs::path(config) / "systemd/user" / unit;
  if (home == nullptr) throw Error("HOME is not set: there is no place for a unit of systemd");
  return fs::path(home) / ".config/systemd/user" / unit;
}

bool has_user_manager() { return run_tool({"systemctl", "--user", "show-environment"}, {}, true).code == 0; }

/// The user's crontab without our line. Throws Error where it cannot be read: what is not known must not be written
/// over.
std::string other_lines() {
  const ToolEnd end = run_tool({"crontab", "-l"}, {}, true);
  if (end.code != 0 && end.code != not_there) {
    // An empty one is an error, too, that has no number of its own: "no crontab for NAME", "No such file or directory".
    const std::string said = run_tool({"sh", "-c", "exec crontab -l 2>&1"}).output;
    if (said.find("no crontab") == std::string::npos && said.find("o such file") == std::string::npos)
      throw Error("crontab -l failed: " + printable_name(said.substr(0, said.find('\n'))),
                  "Your crontab is as it was.");
    return {};
  }
  std::istringstream in(end.output);
  std::string out;
  for (std::string line; std::getline(in, line);)
    if (!line.ends_with(mark)) out += line + "\n";
  return out;
}

void write_lines(const std::string& lines) {
  const int code = run_tool({"crontab", "-"}, lines).code;
  if (code == not_there)
    throw Error("neither a systemd user manager nor crontab is there to start an agent with the machine",
                "Jobs go on after a start of the machine when you call nephron queue.");
  if (code != 0) throw Error("crontab did not take the line that starts an agent", "What it said stands above.");
}

/// systemd and cron take % for themselves, systemd words in quotes.
std::string escaped(const std::string& text, const std::string& percent) {
  std::string out;
  for (const char c : text) {
    if (c == '%') out += percent;
    else out += c;
  }
  return out;
}

std::string quoted_for_systemd(const std::string& text) {
  std::string out;
  for (const char c : escaped(text, "%%")) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return "\"" + out + "\"";
}

std::string enable_unit(const std::string& program, const fs::path& spool) {
  const fs::path file = unit_file();
  std::error_code failed;
  fs::create_directories(file.parent_path(), failed);
  if (failed) throw Error("cannot make the folder " + file.parent_path().string() + ": " + failed.message());
  // Only the agent is ended with the unit: its jobs go on, and the next agent finds them.
  write_file_atomically(file, "[Unit]\nDescription=nephron's queue: jobs of this user\n\n[Service]\nEnvironment=" +
                                  quoted_for_systemd("NEPHRON_SPOOL=" + spool.string()) +
                                  "\nExecStart=" + quoted_for_systemd(program) +
                                  " queue agent\nKillMode=process\n\n[Install]\nWantedBy=default.target\n");
  if (run_tool({"systemctl", "--user", "enable", unit}).code != 0) {
    fs::remove(file, failed);
    throw Error("systemctl --user enable " + std::string(unit) + " failed", "What it said stands above.");
  }
  const bool lingers = run_tool({"loginctl", "enable-linger", user_name()}, {}, true).code == 0;
  return "enabled: " + file.string() +
         (lingers ? "" : "\nwarning: loginctl enable-linger failed, so the agent starts when you log in");
}

/// Also where no manager answers, as in a session without a bus: what it would read at its next start is removed.
void disable_unit() {
  const fs::path file = unit_file();
  std::error_code no;
  if (!fs::exists(fs::symlink_status(file, no))) return;
  if (has_user_manager() && run_tool({"systemctl", "--user", "disable", unit}).code != 0)
    throw Error("systemctl --user disable " + std::string(unit) + " failed", "What it said stands above.");
  for (const fs::path& left : {file.parent_path() / "default.target.wants" / unit, file})
    if (fs::remove(left, no); no) throw Error("cannot remove " + left.string() + ": " + no.message());
}

}  // namespace

std::string enable_agent(const fs::path& spool) {
  const std::string program = program_file().string();
  if (has_user_manager()) return enable_unit(program, spool);
  const std::string line = "@reboot NEPHRON_SPOOL=" + escaped(shell_word(spool.string()), "\\%") + " " +
                           escaped(shell_word(program), "\\%") + " queue agent " + mark + "\n";
  write_lines(other_lines() + line);
  return "enabled: a line @reboot in your crontab";
}

std::string disable_agent() {
  if (has_home()) disable_unit();
  const std::string rest = other_lines();
  if (run_tool({"crontab", "-l"}, {}, true).output != rest) write_lines(rest);
  return "disabled: agents start by submit and queue alone";
}

}  // namespace nephron::host
