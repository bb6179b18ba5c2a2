#include <host/queue/change.hpp>

#include <algorithm>

#include <unistd.h>

#include <nephron/error.hpp>

#include <host/queue/agent.hpp>
#include <host/queue/job_files.hpp>
#include <host/queue/run_progress.hpp>
#include <host/util/usage_error.hpp>

namespace nephron::host {

namespace {

using At = JobState::At;
using Wish = JobState::Wish;

/// Without the user in front of it, which must be this one.
std::string bare_id(const std::string& id) {
  const std::size_t at = id.find('/');
  if (at == std::string::npos) return id;
  const std::string user = id.substr(0, at);
  if (user != user_named(::geteuid()) && user != std::to_string(::geteuid()))
    throw UsageError("job " + id + " is not yours", "Its user alone can do that.");
  return id.substr(at + 1);
}

/// Of another user's, whom it belongs to.
std::string owner_of(const Spool& spool, const std::string& id) {
  std::vector<std::string> ignored;
  for (const UserFolder& folder : spool.users(ignored)) {
    const std::vector<std::string> names = folder.names(ticket_ending);
    if (std::find(names.begin(), names.end(), id + ticket_ending) != names.end()) return user_named(folder.uid());
  }
  return {};
}

/// What was told to end already is not told again: a second signal ends a program at once, without what it saves.
void tell_running(const Spool& spool, SceneJob& job, Wish wish) {
  // It has its time from now on, as one has that is told now.
  if (job.state.told && job.state.wish != wish) job.state.told = Moment::now();
  job.state.wish = wish;
  write_state(spool, job);
}

/// One that does not run. Under the user's lock.
void take_out(const Spool& spool, SceneJob& job, const std::string& why) {
  job.state.at = At::ended;
  job.state.how = JobState::How::cancelled;
  job.state.since = Moment::now();
  job.state.rests = false;
  job.state.why = why;
  write_state(spool, job);
  tell_run(job.ticket, job.state);
  put_away(spool, job);
}

}  // namespace

SceneJob own_job(const Spool& spool, const std::string& asked) {
  const std::string id = bare_id(asked);
  if (!is_job_id(id))
    throw UsageError("\"" + asked + "\" is no id of a job: six digits, 0 to 9 and a to f, were expected",
                     "nephron queue lists jobs, nephron queue --ended those that are over.");
  const UserFolder own(spool.folder(), ::geteuid());
  for (const char* folder : {"", "ended/"})
    if (spool.has(folder + id + ticket_ending)) return read_job(own, folder + id);
  const std::string owner = owner_of(spool, id);
  throw UsageError(owner.empty() ? "there is no job " + id : "job " + id + " belongs to " + owner,
                   owner.empty() ? "nephron queue lists jobs, nephron queue --ended those that are over."
                                 : "Its user alone can do that.");
}

std::optional<std::string> job_in_line_for(const std::filesystem::path& folder, const std::filesystem::path& run) {
  const std::string name = run.filename().string(), id = name.substr(name.rfind('-') + 1);
  std::error_code no;
  if (!is_job_id(id) || !std::filesystem::exists(folder / std::to_string(::geteuid()) / (id + ticket_ending), no))
    return std::nullopt;
  const SceneJob job = own_job(Spool(folder), id);
  const bool its = !job.ticket.run.empty() && std::filesystem::equivalent(job.ticket.run, run, no);
  return its && job.state.at != At::ended ? std::optional(id) : std::nullopt;
}

std::string cancel_job(const Spool& spool, const std::string& id) {
  const auto lock = spool.lock(user_lock, true);
  SceneJob job = own_job(spool, id);
  switch (job.state.at) {
    case At::ended:
      throw UsageError("job " + id + " is over: " + name_of(job.state.how));
    case At::running:
      tell_running(spool, job, Wish::cancel);
      start_agent(spool);
      return job.ticket.id + " is told to end; what it has saved stays";
    case At::waiting:
    case At::held:
      break;
  }
  take_out(spool, job, "");
  return job.ticket.id + " is out of the queue" +
         (job.ticket.run.empty() ? "" : "; its run stays: " + job.ticket.run.string());
}

std::vector<std::string> cancel_waiting(const std::filesystem::path& folder,
                                        const std::function<bool(const Ticket&)>& which, const std::string& why) {
  std::vector<std::string> out;
  if (std::error_code no; !std::filesystem::exists(folder / std::to_string(::geteuid()), no)) return out;
  const Spool spool(folder);
  const auto lock = spool.lock(user_lock, true);
  const UserFolder own(folder, ::geteuid());
  for (const std::string& name : own.names(ticket_ending)) try {
      SceneJob job = read_job(own, name.substr(0, name.size() - std::string(ticket_ending).size()));
      if (job.state.at != At::waiting || !which(job.ticket)) continue;
      take_out(spool, job, why);
      out.push_back(job.ticket.id);
    } catch (const Error&) {  // a damaged job, of which the queue tells
    }
  return out;
}

std::string hold_job(const Spool& spool, const std::string& id) {
  const auto lock = spool.lock(user_lock, true);
  SceneJob job = own_job(spool, id);
  if (job.state.at == At::ended) throw UsageError("job " + id + " is over: " + name_of(job.state.how));
  if (job.state.at == At::running && !job.ticket.may_yield())
    throw UsageError("job " + id + " runs, and cannot go on where it is stopped",
                     "nephron cancel " + id + " ends it; submit --resumable puts commands in line that can.");
  if (job.state.at == At::running) {
    tell_running(spool, job, Wish::hold);
    start_agent(spool);
    return job.ticket.id + " is told to save and stop";
  }
  job.state.at = At::held;
  job.state.rests = false;
  job.state.since = Moment::now();
  job.state.why = "held by its user";
  write_state(spool, job);
  return job.ticket.id + " is held; nephron release " + job.ticket.id + " puts it in line again";
}

std::string release_job(const Spool& spool, const std::string& id) {
  const auto lock = spool.lock(user_lock, true);
  SceneJob job = own_job(spool, id);
  const std::string now = name_of(job.state.at == At::ended ? At::ended : job.state.at);
  if (job.state.at == At::waiting || (job.state.at == At::running && job.state.wish != Wish::hold))
    throw UsageError("job " + id + " is " + now + "; what is held, killed or failed can be released");
  if (job.state.at == At::running) {
    // It is saving, and is put in line when it has.
    job.state.wish = Wish::yield;
    write_state(spool, job);
  } else if (job.state.at == At::ended) {
    if (job.state.how == JobState::How::finished || job.state.how == JobState::How::none)
      throw UsageError("job " + id + " is finished", "Submit it again to run it again.");
    take_back(spool, job, Moment::now());
  } else {
    job.state.at = At::waiting;
    job.state.since = Moment::now();
    job.state.kills = 0;
    job.state.why.clear();
    write_state(spool, job);
  }
  start_agent(spool);
  return job.ticket.id + " is in line again";
}

}  // namespace nephron::host
