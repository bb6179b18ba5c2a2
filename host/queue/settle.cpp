#include <host/queue/settle.hpp>

#include <csignal>
#include <cstring>

#include <unistd.h>

#include <nephron/error.hpp>

#include <host/queue/agent.hpp>
#include <host/queue/job_files.hpp>
#include <host/queue/run_progress.hpp>
#include <host/util/counted.hpp>
#include <host/util/log.hpp>

namespace nephron::host {

namespace {

using At = JobState::At;
using How = JobState::How;
using Wish = JobState::Wish;

constexpr int exit_interrupted = 130;

JobState over(JobState state, How how, std::string why = {}) {
  state.at = At::ended;
  state.how = how;
  state.why = std::move(why);
  return state;
}

JobState back(JobState state, std::string why) {
  state.at = At::waiting;
  state.why = std::move(why);
  return state;
}

/// What had nothing to do gives back what it holds, and looks again a while later.
JobState resting(JobState state) {
  state.kills = 0;
  state.rests = true;
  return back(std::move(state), "had nothing to do yet: others work on what comes before");
}

/// By SIGKILL, with its keeper or without: memory, a person, the power.
JobState killed(const Ticket& ticket, JobState state, const Ended& ended, double ran) {
  if (!ticket.may_yield())
    return over(std::move(state), How::killed,
                "was killed, and cannot go on where it was; nephron queue release " + ticket.id + " starts it again");
  // How far a command came that trains no run, nobody knows: that it ran for a while has to do.
  constexpr double a_while = 600;
  const bool further = ended.progress != state.progress || (ticket.run.empty() && ran > a_while);
  state.kills = further ? 1 : state.kills + 1;
  if (state.kills >= most_kills)
    return over(std::move(state), How::killed,
                "was killed " + counted(most_kills, "time") +
                    " in a row and came no further between; nephron queue "
                    "release " +
                    ticket.id + " tries again");
  return back(std::move(state), "was killed, and goes on");
}

JobState by_itself(const Ticket& ticket, JobState state, const Ended& ended, bool other_boot, double ran) {
  const End& end = *ended.end;
  if (!end.error.empty()) return over(std::move(state), How::failed, end.error);
  if (end.signal == SIGKILL) return killed(ticket, std::move(state), ended, ran);
  const bool stopped =
      end.code == exit_interrupted || end.signal == SIGTERM || end.signal == SIGINT || end.code == 128 + SIGTERM;
  if (stopped && ticket.may_yield() && other_boot) return back(std::move(state), "the machine was started anew");
  if (stopped && ticket.may_yield()) {
    state.at = At::held;
    state.why = "was interrupted, not by the queue; nephron queue release " + ticket.id + " goes on";
    return state;
  }
  return over(std::move(state), How::failed,
              end.signal != 0 ? std::string("was ended by signal ") + std::to_string(end.signal) + " (" +
                                    ::strsignal(end.signal) + ")"
                              : "exit code " + std::to_string(end.code));
}

}  // namespace

JobState after(const Ticket& ticket, JobState state, const Ended& ended, const Moment& now) {
  const Wish wish = state.wish;
  const double ran = seconds_between(state.since, now);
  const bool other_boot = state.since.boot_id != now.boot_id;
  state.wish = Wish::none;
  state.told.reset();
  state.since = now;
  state.parts = {};
  state.fills = false;
  state.left_at = now;
  state.code = ended.end ? (ended.end->signal != 0 ? 128 + ended.end->signal : ended.end->code) : 128 + SIGKILL;
  if ((ended.end && ended.end->code == 0 && ended.end->signal == 0) || ended.run_finished) {
    state.code = 0;
    return over(std::move(state), How::finished);
  }
  if (wish == Wish::cancel) return over(std::move(state), How::cancelled);
  // An agent that was killed while it started it.
  if (!ended.end && !ended.begun) return back(std::move(state), "");
  const bool nothing_yet = ended.end && ended.end->signal == 0 && ended.end->code == exit_nothing_yet;
  const bool stopped = !ended.end || ended.end->signal != 0 || ended.end->code == exit_interrupted ||
                       ended.end->code == 128 + SIGTERM || nothing_yet;
  if (wish != Wish::none && stopped && ticket.may_yield()) {
    state.kills = 0;
    if (wish == Wish::yield) return back(std::move(state), state.why);
    state.at = At::held;
    state.why = "held by its user";
    return state;
  }
  if (nothing_yet && ticket.may_yield()) return resting(std::move(state));
  return ended.end ? by_itself(ticket, std::move(state), ended, other_boot, ran)
                   : killed(ticket, std::move(state), ended, ran);
}

std::optional<End> end_of(const UserFolder& folder, const SceneJob& job) try {
  const std::string name = job.ticket.id + ".end.json";
  const auto text = folder.read(name);
  if (!text) return std::nullopt;
  const End end = read_end(*text, folder.file(name).string());
  return end.start == job.state.start ? std::optional(end) : std::nullopt;
} catch (const Error& e) {
  log().warning(std::string(e.what()) + "; job " + job.ticket.id + " counts as killed");
  return std::nullopt;
}

void settle_ended(const Spool& spool, SceneJob& job, const Moment& now) {
  const UserFolder own(spool.folder(), ::geteuid());
  Ended ended;
  ended.begun = job.begun.has_value();
  ended.progress = progress_of(job.ticket.run);
  ended.run_finished = run_finished(job.ticket.run);
  ended.end = end_of(own, job);
  job.state = after(job.ticket, job.state, ended, now);
  write_state(spool, job);
  tell_run(job.ticket, job.state);
  if (job.state.at == At::ended) put_away(spool, job);
}

}  // namespace nephron::host
