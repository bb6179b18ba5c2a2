#include <host/ranks/place.hpp>

#include <charconv>
#include <cstdlib>

#include <host/util/usage_error.hpp>

namespace nephron::host {

namespace {

constexpr const char* alone = "Start with torchrun or srun, which set them all, or train as one process with --alone.";

std::string text_of(const Environment& variable, const char* name) {
  const char* const value = variable(name);
  return value == nullptr ? "" : value;
}

/// A whole number from `least` to `most`. `starter`: who should have set it.
int number_of(const Environment& variable, const char* name, int least, int most, const std::string& starter) {
  const std::string text = text_of(variable, name);
  if (text.empty())
    throw UsageError("the environment says that " + starter + " started this process, but " + name + " is not set",
                     alone);
  int value = 0;
  const auto [stop, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc() || stop != text.data() + text.size() || value < least || value > most)
    throw UsageError(std::string(name) + "=" + text + ": expected a whole number from " + std::to_string(least) +
                         " to " + std::to_string(most),
                     alone);
  return value;
}

constexpr int most_ranks = 4096, most_port = 65535;

std::optional<RankPlace> of_torchrun(const Environment& variable) {
  // MASTER_ADDR and MASTER_PORT alone are often left in a shell, and say nothing of ranks.
  const bool told = !text_of(variable, "RANK").empty() || !text_of(variable, "WORLD_SIZE").empty();
  if (!told) return std::nullopt;
  const std::string starter = "torchrun (RANK, WORLD_SIZE)";
  RankPlace out;
  out.count = number_of(variable, "WORLD_SIZE", 1, most_ranks, starter);
  out.rank = number_of(variable, "RANK", 0, out.count - 1, starter);
  if (out.count == 1) return std::nullopt;
  out.local = number_of(variable, "LOCAL_RANK", 0, out.count - 1, starter);
  if (!text_of(variable, "LOCAL_WORLD_SIZE").empty())
    out.local_count = number_of(variable, "LOCAL_WORLD_SIZE", 1, out.count, starter);
  out.address = text_of(variable, "MASTER_ADDR");
  if (out.address.empty())
    throw UsageError("the environment says that " + starter + " started this process, but MASTER_ADDR is not set",
                     alone);
  out.port = static_cast<std::uint16_t>(number_of(variable, "MASTER_PORT", 1, most_port, starter));
  out.store_is_there = text_of(variable, "TORCHELASTIC_USE_AGENT_STORE") == "True";
  out.round = text_of(variable, "TORCHELASTIC_RESTART_COUNT");
  out.starter = "torchrun";
  return out;
}

/// srun alone sets the number of tasks of the step: a batch script of several tasks is one process.
std::optional<RankPlace> of_srun(const Environment& variable) {
  if (text_of(variable, "SLURM_STEP_NUM_TASKS").empty()) return std::nullopt;
  const std::string starter = "srun (SLURM_STEP_NUM_TASKS)";
  RankPlace out;
  out.count = number_of(variable, "SLURM_STEP_NUM_TASKS", 1, most_ranks, starter);
  if (out.count == 1) return std::nullopt;
  out.rank = number_of(variable, "SLURM_PROCID", 0, out.count - 1, starter);
  out.local = number_of(variable, "SLURM_LOCALID", 0, out.count - 1, starter);
  out.address = text_of(variable, "MASTER_ADDR");
  if (out.address.empty()) {
    std::string list = text_of(variable, "SLURM_STEP_NODELIST");
    if (list.empty()) list = text_of(variable, "SLURM_JOB_NODELIST");
    out.address = first_host(list);
  }
  if (out.address.empty())
    throw UsageError("the environment says that " + starter +
                         " started this process, but neither SLURM_JOB_NODELIST nor MASTER_ADDR names the machine "
                         "where ranks meet",
                     alone);
  if (!text_of(variable, "MASTER_PORT").empty()) {
    out.port = static_cast<std::uint16_t>(number_of(variable, "MASTER_PORT", 1, most_port, starter));
  } else {
    // A function of the job and its step, so that every task finds the same and two jobs on a machine do not meet.
    constexpr int first = 15000, ports = 15000, steps = 37;
    const int job = number_of(variable, "SLURM_JOB_ID", 0, 2147483647, starter);
    const int step =
        text_of(variable, "SLURM_STEP_ID").empty() ? 0 : number_of(variable, "SLURM_STEP_ID", 0, 2147483647, starter);
    out.port = static_cast<std::uint16_t>(first + (static_cast<std::int64_t>(job) * steps + step) % ports);
  }
  out.round = text_of(variable, "SLURM_JOB_ID") + "." + text_of(variable, "SLURM_STEP_ID");
  out.starter = "srun";
  return out;
}

}  // namespace

std::string first_host(const std::string& list) {
  const std::size_t open = list.find_first_of("[,");
  if (open == std::string::npos || list[open] == ',') return list.substr(0, open);
  const std::size_t end = list.find_first_of("-,]", open + 1), close = list.find(']', open);
  if (end == std::string::npos || close == std::string::npos) return {};
  const std::size_t behind = list.find(',', close);
  return list.substr(0, open) + list.substr(open + 1, end - open - 1) +
         first_host(list.substr(close + 1, behind == std::string::npos ? behind : behind - close - 1));
}

std::optional<RankPlace> place_among_ranks(const Environment& variable) {
  if (const auto place = of_torchrun(variable)) return place;
  if (!text_of(variable, "RANK").empty()) return std::nullopt;  // torchrun of one process
  return of_srun(variable);
}

std::optional<RankPlace> place_among_ranks() {
  return place_among_ranks([](const char* name) { return std::getenv(name); });
}

}  // namespace nephron::host
