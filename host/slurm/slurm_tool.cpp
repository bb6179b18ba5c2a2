#include <host/slurm/slurm_tool.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <sstream>

#include <unistd.h>

#include <nephron/error.hpp>

#include <host/util/child_process.hpp>
#include <host/util/interrupt.hpp>
#include <host/util/shell_variables.hpp>

namespace nephron::host {

namespace {

using Clock = std::chrono::steady_clock;

template <class Names>
bool is_one_of(const Names& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_kept_from_slurm(const std::string& name, bool inside_a_job) {
  // Where the cluster is, and how one is let in.
  constexpr std::array cluster{"SLURM_CONF", "SLURM_CONF_SERVER", "SLURM_CLUSTERS", "SLURM_JWT"};
  // What people choose once for all their jobs. Any other SBATCH_ variable would go before what the script says.
  constexpr std::array chosen{"SBATCH_ACCOUNT",     "SBATCH_PARTITION",  "SBATCH_QOS",   "SBATCH_TIMELIMIT",
                              "SBATCH_RESERVATION", "SBATCH_CONSTRAINT", "SBATCH_WCKEY", "SBATCH_CLUSTERS"};
  // What Slurm sets for the job in which this program runs, without saying so in the name.
  constexpr std::array of_job{"CUDA_VISIBLE_DEVICES", "GPU_DEVICE_ORDINAL", "ROCR_VISIBLE_DEVICES", "ZE_AFFINITY_MASK"};
  if (is_one_of(cluster, name) || is_one_of(chosen, name)) return false;
  for (const char* begin :
       {"SLURMD_", "SBATCH_", "SRUN_", "SALLOC_", "SQUEUE_", "SCANCEL_", "SCONTROL_", "PMI_", "PMIX_"})
    if (name.starts_with(begin)) return true;
  return is_passing_variable(name) || (inside_a_job && is_one_of(of_job, name));
}

/// "sbatch: error: invalid partition" as a person wants to read it.
std::string one_line(const std::string& text) {
  std::string out;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    for (const char* const mark : {"error: ", "fatal: "})
      if (const std::size_t at = line.find(mark); at != std::string::npos && at < 20) line.erase(0, at + 7);
    if (!line.empty()) out += (out.empty() ? "" : "; ") + line;
  }
  return out;
}

}  // namespace

std::vector<std::string> variables_kept_from_slurm() {
  const bool inside_a_job = std::getenv("SLURM_JOB_ID") != nullptr;
  std::vector<std::string> out;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry, name = text.substr(0, text.find('='));
    if (!name.empty() && is_kept_from_slurm(name, inside_a_job)) out.push_back(name);
  }
  return out;
}

SlurmAnswer run_slurm(const std::vector<std::string>& command, double patience) {
  std::vector<std::string> words{"/usr/bin/env"};
  for (const std::string& name : variables_kept_from_slurm()) words.insert(words.end(), {"-u", name});
  // Its output is told apart from its complaints: a child reports on a descriptor of its own.
  words.insert(words.end(), {"sh", "-c", R"(exec "$@" >&3 3>&-)", "sh"});
  words.insert(words.end(), command.begin(), command.end());
  SlurmAnswer out;
  ChildProcess child(words, [&](std::string_view text) { out.output += text; });
  ChildProcess* const children[] = {&child};
  const auto end = Clock::now() + std::chrono::duration<double>(patience);
  while (!child.ended()) {
    ChildProcess::listen(children, 50);
    if (interrupted()) throw Cancelled();
    if (Clock::now() < end) continue;
    child.kill();
    out.code = -1;
    out.complaint = command.front() + " did not answer within " + std::to_string(static_cast<int>(patience)) + " s";
    return out;
  }
  out.code = child.end().signal != 0 ? 128 + child.end().signal : child.end().code;
  out.complaint = out.code == 127 ? command.front() + " is not in PATH" : one_line(child.end().output);
  return out;
}

bool slurm_is_here() {
  const char* const path = std::getenv("PATH");
  std::istringstream folders(path != nullptr ? path : "");
  for (std::string folder; std::getline(folders, folder, ':');)
    if (::access((std::filesystem::path(folder) / "squeue").c_str(), X_OK) == 0) return true;
  return false;
}

}  // namespace nephron::host
