#include <host/sweep/trial_check.hpp>

#include <set>

#include <host/sweep/sweep_setup.hpp>
#include <host/util/child_process.hpp>
#include <host/util/counted.hpp>
#include <host/util/interrupt.hpp>
#include <host/util/log.hpp>
#include <host/util/pages.hpp>
#include <host/util/printable.hpp>
#include <host/util/usage_error.hpp>

namespace nephron::host {

std::vector<int> telling_trials(const std::vector<Trial>& trials) {
  constexpr std::size_t enough = 64;
  std::set<std::string> seen;
  std::vector<int> out;
  for (const Trial& trial : trials) {
    bool tells = out.empty();
    for (const Trial::Setting& setting : trial.settings) {
      const bool number = setting.value.is(Value::Type::integer) || setting.value.is(Value::Type::real);
      if (!number && seen.insert(setting.key.text() + " = " + setting.value.str()).second) tells = true;
    }
    if (tells && out.size() < enough) out.push_back(trial.number);
  }
  return out;
}

void check_by_computing_program(const std::vector<Trial>& trials, const std::filesystem::path& folder) {
  const std::vector<int> chosen = telling_trials(trials);
  std::vector<std::string> command{program_file().string(), "config", "check", "--to-train"};
  for (const int trial : chosen) command.push_back(trial_file(folder, trial).string());
  log().info("checking networks and data of " + counted(chosen.size(), "trial"));
  ChildProcess child(command, [](std::string_view) {});
  ChildProcess* const children[] = {&child};
  while (!child.ended()) {
    ChildProcess::listen(children, 100);
    if (interrupted()) throw Cancelled();
  }
  if (child.end().signal == 0 && child.end().code == 0) return;
  std::string said;
  for (std::size_t at = 0; at < child.end().output.size();) {  // files that are good are no news
    const std::size_t stop = std::min(child.end().output.find('\n', at), child.end().output.size() - 1) + 1;
    const std::string line = child.end().output.substr(at, stop - at);
    if (!line.ends_with(": good\n")) said += line;
    at = stop;
  }
  if (child.end().signal != 0) said += "nephron config check: " + child.end().text() + "\n";
  print_error(said);
  throw UsageError("trials of this sweep cannot be trained, so none was begun", "the faults stand above");
}

}  // namespace nephron::host
