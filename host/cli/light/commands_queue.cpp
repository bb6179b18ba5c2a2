// nephron queue: what waits and runs on this machine, and what becomes of one's own jobs.
#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>

#include <unistd.h>

#include <nephron/error.hpp>

#include <host/cli/command.hpp>
#include <host/queue/agent.hpp>
#include <host/queue/change.hpp>
#include <host/queue/enable.hpp>
#include <host/queue/follow.hpp>
#include <host/queue/job_files.hpp>
#include <host/queue/queue_table.hpp>
#include <host/queue/slurm_rows.hpp>
#include <host/slurm/slurm_change.hpp>
#include <host/util/log.hpp>
#include <host/util/printable.hpp>
#include <host/util/usage_error.hpp>

namespace nephron::host {
namespace {

struct QueueOptions {
  bool json = false, ended = false;
  std::vector<std::string> ids;
  std::string id;
  bool follow = false;
};

int show(const QueueOptions& o) {
  const HostFile host = read_host();
  const Spool spool(host.spool);
  const Scene scene = look(spool, host);
  const bool served = std::any_of(scene.jobs.begin(), scene.jobs.end(), [](const SceneJob& job) {
    return job.uid == ::geteuid() && job.state.at != JobState::At::held;
  });
  if (served) start_agent(spool);
  QueueTable table = make_queue_table(scene, host);
  if (const auto slurm = ask_slurm()) add_slurm(table, *slurm);
  if (o.ended) add_ended(table, ended_jobs(spool, table.problems));
  std::fputs((o.json ? to_json(table) : to_text(table)).c_str(), stdout);
  for (const std::string& problem : table.problems) log().warning(problem);
  return Exit::done;
}

int show_host() {
  const HostFile host = read_host();
  const Spool spool(host.spool);
  print(text_of(host, look(spool, host)));
  return Exit::done;
}

/// The job of Slurm that is meant, and no one of the machine's own queue: by "slurm:123", or by its run.
std::optional<SlurmId> slurm_job(const Spool& spool, const std::string& id) {
  if (spool.has(id + ticket_ending) || spool.has("ended/" + id + ticket_ending)) return std::nullopt;
  return slurm_id(id);
}

/// `change` of each job; those that are right are changed, whatever is wrong with others. `of_slurm`: the same of one
/// that Slurm has.
int change_all(const QueueOptions& o, std::string (*change)(const Spool&, const std::string&),
               std::string (*of_slurm)(const SlurmId&)) {
  const HostFile host = read_host();
  const Spool spool(host.spool);
  int exit = Exit::done;
  for (const std::string& id : o.ids) try {
      const auto in_slurm = slurm_job(spool, id);
      print((in_slurm ? of_slurm(*in_slurm) : change(spool, id)) + "\n");
    } catch (const Error& e) {
      log().error(std::string(e.what()) + (e.hint().empty() ? "" : "\n  " + e.hint()));
      const bool usage = dynamic_cast<const UsageError*>(&e) != nullptr && exit != Exit::failed;
      exit = usage ? Exit::usage : Exit::failed;
    }
  return exit;
}

void add_change(CLI::App& app, int& exit, const char* name, const char* help,
                std::string (*change)(const Spool&, const std::string&), std::string (*of_slurm)(const SlurmId&)) {
  CLI::App* const command = app.add_subcommand(name, help);
  const auto o = std::make_shared<QueueOptions>();
  command->add_option("ID", o->ids, "Jobs of yours, as nephron queue shows them")->required();
  command->callback([o, change, of_slurm, &exit] { exit = change_all(*o, change, of_slurm); });
}

void add_cancel(CLI::App& app, int& exit) {
  add_change(app, exit, "cancel", "Take jobs out of the queue; what runs is ended, and saves before", &cancel_job,
             &cancel_in_slurm);
}
void add_hold(CLI::App& app, int& exit) {
  add_change(app, exit, "hold", "Keep jobs from running until they are released; a training saves and stops", &hold_job,
             &hold_in_slurm);
}
void add_release(CLI::App& app, int& exit) {
  add_change(app, exit, "release", "Put jobs that were held, killed or failed in line again", &release_job,
             &release_in_slurm);
}

void add_logs(CLI::App& app, int& exit) {
  CLI::App* const command = app.add_subcommand("logs", "What a job has said");
  const auto o = std::make_shared<QueueOptions>();
  command->add_option("ID", o->id, "A job of yours")->required();
  command->add_flag("-f,--follow", o->follow, "Go on until it ends");
  command->callback([o, &exit] {
    const HostFile host = read_host();
    const Spool spool(host.spool);
    if (const auto in_slurm = slurm_job(spool, o->id)) show_slurm_log(*in_slurm, o->follow);
    else show_log(spool, o->id, o->follow);
    exit = Exit::done;
  });
}

void add_attach(CLI::App& app, int& exit) {
  CLI::App* const command =
      app.add_subcommand("attach", "Follow a job to its end, with its exit code; Ctrl-C leaves it alone");
  const auto o = std::make_shared<QueueOptions>();
  command->add_option("ID", o->id, "A job of yours")->required();
  command->callback([o, &exit] {
    const HostFile host = read_host();
    const Spool spool(host.spool);
    const auto in_slurm = slurm_job(spool, o->id);
    const auto code = in_slurm ? show_slurm_log(*in_slurm, true) : show_log(spool, o->id, true);
    exit = code.value_or(Exit::interrupted);
  });
}

void add_service(CLI::App& queue, int& exit) {
  CLI::App* const enable = queue.add_subcommand("enable", "Let your agent start with the machine");
  enable->callback([&exit] {
    print(enable_agent(read_host().spool) + "\n");
    exit = Exit::done;
  });
  CLI::App* const disable = queue.add_subcommand("disable", "Take that back");
  disable->callback([&exit] {
    print(disable_agent() + "\n");
    exit = Exit::done;
  });
  CLI::App* const agent = queue.add_subcommand("agent", "Serve your jobs until none is left")->group("");
  agent->callback([&exit] {
    const HostFile host = read_host();
    run_agent(Spool(host.spool), host);
    exit = Exit::done;
  });
}

void add_queue(CLI::App& app, int& exit) {
  CLI::App* const command = app.add_subcommand("queue", "What waits and runs on this machine, why, and until when");
  const auto o = std::make_shared<QueueOptions>();
  command->require_subcommand(0, 1);
  command->add_flag("--json", o->json, "Print JSON");
  command->add_flag("--ended", o->ended, "Also your jobs that have ended");
  add_cancel(*command, exit);
  add_hold(*command, exit);
  add_release(*command, exit);
  add_logs(*command, exit);
  add_attach(*command, exit);
  CLI::App* const host = command->add_subcommand("host", "What this machine has, and what of it is free");
  host->callback([&exit] { exit = show_host(); });
  add_service(*command, exit);
  command->callback([o, command, &exit] {
    if (command->get_subcommands().empty()) exit = show(*o);
  });
}

NEPHRON_COMMAND("queue", 45, add_queue)
NEPHRON_COMMAND("cancel", 46, add_cancel)
NEPHRON_COMMAND("hold", 47, add_hold)
NEPHRON_COMMAND("release", 48, add_release)
NEPHRON_COMMAND("logs", 49, add_logs)
NEPHRON_COMMAND("attach", 50, add_attach)

}  // namespace
}  // namespace nephron::host
