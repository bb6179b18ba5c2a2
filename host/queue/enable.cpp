#include <host/queue/enable.hpp>

#include <cstdlib>
#include <sstream>

#include <nephron/error.hpp>

#include <host/queue/tool.hpp>
#include <host/runs/here_and_now.hpp>
#include <host/util/files.hpp>
#include <host/util/pages.hpp>
#include <host/util/shell_word.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

constexpr const char* unit = "nephron-queue.service";
constexpr const char* mark = "# nephron queue";

fs::path unit_file() {
  const char* const config = std::getenv("XDG_CONFIG_HOME");
  const char* const home = std::getenv("HOME");
  if (config != nullptr && *config != '\0') return fs::path(config) / "systemd/user" / unit;
  if (home == nullptr) throw Error("HOME is not set: there is no place for a unit of systemd");
  return fs::path(home) / ".config/systemd/user" / unit;
}

bool has_user_manager() { return run_tool({"systemctl", "--user", "show-environment"}, {}, true).code == 0; }

/// The user's crontab without our line.
std::string other_lines() {
  std::istringstream in(run_tool({"crontab", "-l"}, {}, true).output);
  std::string out;
  for (std::string line; std::getline(in, line);)
    if (!line.ends_with(mark)) out += line + "\n";
  return out;
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

}  // namespace

std::string enable_agent(const fs::path& spool) {
  const std::string program = program_file().string();
  if (has_user_manager()) {
    const fs::path file = unit_file();
    fs::create_directories(file.parent_path());
    // Only the agent is ended with the unit: its jobs go on, and the next agent finds them.
    write_file_atomically(file,
                          "[Unit]\nDescription=nephron's queue: jobs of this user\n\n[Service]\n"
                          "Environment=\"NEPHRON_SPOOL=" +
                              escaped(spool.string(), "%%") + "\"\nExecStart=\"" + escaped(program, "%%") +
                              "\" queue agent\nKillMode=process\n\n[Install]\nWantedBy=default.target\n");
    if (run_tool({"systemctl", "--user", "enable", unit}).code != 0)
      throw Error("systemctl --user enable " + std::string(unit) + " failed", "What it said stands above.");
    const bool lingers = run_tool({"loginctl", "enable-linger", user_name()}, {}, true).code == 0;
    return "enabled: " + file.string() +
           (lingers ? "" : "\nwarning: loginctl enable-linger failed, so the agent starts when you log in");
  }
  const std::string line = "@reboot NEPHRON_SPOOL=" + escaped(shell_word(spool.string()), "\\%") + " " +
                           escaped(shell_word(program), "\\%") + " queue agent " + mark + "\n";
  if (run_tool({"crontab", "-"}, other_lines() + line, true).code != 0)
    throw Error("neither a systemd user manager nor crontab is there to start an agent with the machine",
                "Jobs go on after a start of the machine when you call nephron queue.");
  return "enabled: a line @reboot in your crontab";
}

std::string disable_agent() {
  std::error_code no;
  if (has_user_manager() && fs::exists(unit_file(), no)) {
    run_tool({"systemctl", "--user", "disable", unit});
    fs::remove(unit_file(), no);
  }
  const std::string rest = other_lines();
  if (run_tool({"crontab", "-l"}, {}, true).output != rest) run_tool({"crontab", "-"}, rest, true);
  return "disabled: agents start by submit and queue alone";
}

}  // namespace nephron::host
