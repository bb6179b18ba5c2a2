#include <host/queue/submit.hpp>

#include <algorithm>
#include <cmath>

#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include <nephron/error.hpp>

#include <host/queue/agent.hpp>
#include <host/queue/host_file.hpp>
#include <host/queue/job_files.hpp>
#include <host/util/pages.hpp>
#include <host/util/random_id.hpp>
#include <host/util/shell_variables.hpp>
#include <host/util/shell_word.hpp>
#include <host/util/usage_error.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

/// Of a run the end of its folder's name, so that one name stands for both.
std::string id_of(const Submission& submission) {
  const std::string name = submission.run.filename().string();
  const std::string end = name.size() > 6 ? name.substr(name.size() - 6) : "";
  return is_job_id(end) ? end : random_id();
}

std::string environment_text() {
  nlohmann::ordered_json out = nlohmann::ordered_json::object();
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    const std::size_t at = text.find('=');
    if (at != std::string::npos && at > 0 && !is_passing_variable(text.substr(0, at)))
      out[text.substr(0, at)] = text.substr(at + 1);
  }
  return out.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

/// "nephron" is this very program, wherever PATH leads later.
std::vector<std::string> with_program(std::vector<std::string> command) {
  if (!command.empty() && command.front() == "nephron") command.front() = program_file().string();
  return command;
}

void require_new(const Spool& spool, const std::string& id) {
  if (spool.has(id + ticket_ending))
    throw Error("job " + id + " is in line already",
                "nephron queue shows it; nephron queue cancel " + id + " takes it out.");
}

}  // namespace

Request request_of(const Submission& submission, const Machine& machine) {
  Request out;
  const int there = static_cast<int>(machine.gpus.size());
  out.gpus = submission.gpus >= 0 ? submission.gpus : std::min(1, there);
  out.gpu_bytes = out.gpus > 0 ? submission.gpu_bytes : 0;
  out.priority = submission.priority;
  out.cores = submission.cores;
  if (out.cores <= 0) {
    Request gpus = out;
    gpus.cores = 0;
    const double share = there > 0 ? cost_per_second(gpus, machine) / there : 1;
    out.cores = std::clamp(static_cast<int>(std::floor(share * machine.cores)), 1, machine.cores);
  }
  if (const std::string why = never_fits(out, machine); !why.empty())
    throw UsageError(why,
                     "Ask for less: --gpus, --gpu-memory, --cpus. nephron queue host shows what this machine has.");
  return out;
}

const char* device_of(const Request& request, const Machine& machine) {
  return request.gpus > 0 && !machine.gpus.front().made_up() ? "cuda" : "cpu";
}

std::string submit_command(const Submission& submission) {
  if (submission.first.empty()) throw UsageError("no command to put in line");
  const HostFile host = read_host();
  Ticket ticket;
  ticket.request = request_of(submission, host.machine);
  ticket.first = with_program(submission.first);
  ticket.again = with_program(submission.again);
  ticket.folder = fs::current_path();
  ticket.run = submission.run.empty() ? fs::path() : fs::absolute(submission.run).lexically_normal();
  ticket.name = submission.name;
  if (ticket.name.empty())
    for (const std::string& word : submission.first) ticket.name += (ticket.name.empty() ? "" : " ") + shell_word(word);
  ticket.name.resize(std::min<std::size_t>(ticket.name.size(), 200));
  ticket.submitted = Moment::now();
  ticket.umask = static_cast<int>(::umask(0));
  ::umask(static_cast<mode_t>(ticket.umask));

  const Spool spool(host.spool);
  const auto lock = spool.lock(user_lock, true);
  ticket.id = id_of(submission);
  if (ticket.run.empty())
    while (spool.has(ticket.id + ticket_ending) || spool.has("ended/" + ticket.id + ticket_ending))
      ticket.id = random_id();
  require_new(spool, ticket.id);
  JobState state;
  state.since = ticket.submitted;
  const std::string text = text_of(ticket);
  if (text.size() > UserFolder::most_bytes)
    throw UsageError("the command has " + std::to_string(text.size()) + " bytes; the queue takes " +
                     std::to_string(UserFolder::most_bytes) + " at most");
  try {
    spool.write(ticket.id + ".env.json", environment_text(), false);
    spool.write(ticket.id + state_ending, text_of(state));
    spool.write(ticket.id + ticket_ending, text);  // last: it makes it a job
  } catch (...) {
    for (const char* ending : {".env.json", state_ending, ticket_ending}) spool.remove(ticket.id + ending);
    throw;
  }
  // Under the lock: an agent that was about to end has ended, or sees this job.
  start_agent(spool);
  return ticket.id;
}

}  // namespace nephron::host
