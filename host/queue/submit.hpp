#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <host/queue/parts.hpp>

namespace nephron::host {

/// What is put in line.
struct Submission {
  std::vector<std::string> first;  ///< the command: no shell reads it. "nephron": this program
  std::vector<std::string> again;  ///< what goes on with it after SIGTERM; empty: it is never stopped for others
  std::filesystem::path run;       ///< the run that it trains, whose id becomes the job's; empty: none
  std::string name;                ///< that people see; empty: the command
  int gpus = -1;                   ///< -1: one, where the machine has any
  std::int64_t gpu_bytes = 0;      ///< of each; 0: whole ones
  int cores = 0;                   ///< 0: the share of the cores that the GPUs are of all
  Priority priority = Priority::normal;
};

/// Puts it in line, in this folder and with this environment, and sees to it that an agent serves it. Returns its id.
/// Throws Error and UsageError; then nothing is in line.
std::string submit_command(const Submission& submission);

/// What a submission asks for on this machine. Throws UsageError where the machine can never give it.
Request request_of(const Submission& submission, const Machine& machine);

/// "cuda" or "cpu": what a job of it computes on, which sees the GPUs that it was given alone.
const char* device_of(const Request& request, const Machine& machine);

}  // namespace nephron::host
