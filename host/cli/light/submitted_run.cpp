#include <host/cli/light/submitted_run.hpp>

#include <algorithm>
#include <csignal>
#include <cstring>

#include <nephron/error.hpp>

#include <host/cli/command.hpp>
#include <host/config/load.hpp>
#include <host/queue/tool.hpp>
#include <host/replay/rerun.hpp>
#include <host/runs/files_of_start.hpp>
#include <host/runs/run.hpp>
#include <host/util/pages.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

/// Where a new run of the experiment is to lie. What is wrong with the experiment is told when it is made.
fs::path place_of(const std::string& experiment, const TrainingOptions& options) {
  std::string name;
  try {
    Diagnostics told_later;
    const Value resolved = resolve_experiment(experiment, options.set, told_later);
    if (const Value* const own = resolved.find("name"); own != nullptr && own->is(Value::Type::string))
      name = own->string();
  } catch (const Error&) {}
  return RunFolder::propose(options.runs, name.empty() ? fs::path(experiment).stem().string() : name).folder();
}

std::vector<std::string> train_command(const std::string& experiment, const TrainingOptions& o,
                                       const std::string& device, const fs::path& into) {
  std::vector<std::string> out{program_file().string(), "train", experiment, "--leave-waiting"};
  out.insert(out.end(), {"--into", into.string(), "--alone", "--device", device, "--fold", o.fold, "--runs", o.runs});
  for (const std::string& setting : o.set) out.insert(out.end(), {"--set", setting});
  for (const std::string& file : o.plugins) out.insert(out.end(), {"--plugin", file});
  if (!o.from.empty()) out.insert(out.end(), {"--from", o.from, "--checkpoint", o.checkpoint});
  if (!o.batch.empty()) out.insert(out.end(), {"--batch", o.batch});
  if (o.elsewhere) out.emplace_back("--elsewhere");
  return out;
}

/// A fold at a time on each GPU.
void add_places(int gpus, const std::string& device, std::vector<std::string>& command) {
  if (device == "cpu") return void(command.insert(command.end(), {"--jobs", std::to_string(gpus)}));
  std::string devices;
  for (int i = 0; i < gpus; ++i) devices += (i > 0 ? ",cuda:" : "cuda:") + std::to_string(i);
  const auto at = std::find(command.begin(), command.end(), "--device");
  command.erase(at, at + 2);
  command.insert(command.end(), {"--devices", devices});
}

/// The program that the run was made with goes on with it, laid out from the run's snapshot, with its plugins; this
/// very one where the run has none. Plugins that the experiment itself names by file stay where they are: train tells
/// of changed ones.
std::vector<std::string> resuming_command(const TrainingOptions& o, const fs::path& run) {
  std::vector<std::string> plugins;
  for (const std::string& file : o.plugins)
    plugins.insert(plugins.end(), {"--plugin", fs::absolute(file).lexically_normal().string()});
  std::string program = "nephron";
  if (fs::exists(run / snapshot_name)) {
    const fs::path tree = lay_out_program(run, /*trust=*/false);
    program = (tree / "bin" / "nephron").string();
    if (std::vector<std::string> kept = plugin_options(run, tree); kept.empty() || kept.front() == "--plugin")
      plugins = std::move(kept);
  }
  std::vector<std::string> out{program, "train", "--resume", run.string()};
  out.insert(out.end(), plugins.begin(), plugins.end());
  return out;
}

}  // namespace

SubmittedRun::SubmittedRun(const std::string& experiment, const TrainingOptions& options, const std::string& device,
                           int places)
    : folder_(place_of(experiment, options)) {
  try {
    make(experiment, options, device, places);
  } catch (...) {
    take_back();
    throw;
  }
}

void SubmittedRun::make(const std::string& experiment, const TrainingOptions& options, const std::string& device,
                        int places) {
  const int code = run_tool(train_command(experiment, options, device, folder_)).code;
  constexpr int by_signal = 128;
  const int signal = code - by_signal;
  if (code > by_signal && signal != SIGINT && signal != SIGTERM)
    throw Error("nephron train, which makes the run, was ended by signal " + std::to_string(signal) + " (" +
                    ::strsignal(signal) + ")",
                signal == SIGKILL ? "The system does that when memory is short. Nothing is left of the run; submit "
                                    "it again."
                                  : "Nothing is left of the run.");
  exit_ = code > by_signal ? Exit::interrupted : code;
  if (exit_ != Exit::done) return;
  command_ = resuming_command(options, folder_);
  command_.insert(command_.end(), {"--device", device, "--alone"});
  if (options.strict) command_.emplace_back("--strict");
  if (places > 1) add_places(places, device, command_);
}

SubmittedRun::~SubmittedRun() {
  if (!kept_) take_back();
}

/// Nothing was trained in it, and its name was made here: what lies there was written for it.
void SubmittedRun::take_back() const noexcept {
  std::error_code failed;
  if (fs::exists(folder_ / "experiment.resolved.toml", failed)) fs::remove_all(folder_, failed);
  else remove_half_run(folder_);
  fs::remove(folder_.parent_path(), failed);  // only when it is empty
}

}  // namespace nephron::host
