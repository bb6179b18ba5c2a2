#include <host/queue/agent.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstring>
#include <map>
#include <set>
#include <thread>

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <nephron/error.hpp>

#include <host/queue/job_files.hpp>
#include <host/queue/keeper.hpp>
#include <host/queue/run_progress.hpp>
#include <host/queue/scene.hpp>
#include <host/queue/settle.hpp>
#include <host/queue/virtual_time.hpp>
#include <host/util/interrupt.hpp>
#include <host/util/log.hpp>

namespace nephron::host {

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
constexpr double beat_every = 5, count_every = 10;

class Agent {
 public:
  Agent(const Spool& spool, const HostFile& host)
      : spool_(spool), host_(host), own_folder_(spool.folder(), ::geteuid()), locks_(spool.locks(), host.machine) {
    put_away_left(spool);
  }

  /// False when no job is left. Under the user's lock.
  bool tick() {
    while (::waitpid(-1, nullptr, WNOHANG) > 0) {}
    if (seconds_between(beat_, Moment::now()) >= beat_every || beat_.boot == 0) {
      beat_ = Moment::now();
      spool_.write(agent_beat, text_of(Beat{beat_}));
    }
    Scene scene = look(spool_, host_);
    tell_problems(scene);
    tell_of_clock(scene.now);
    for (SceneJob& job : scene.jobs)
      if (own(job)) serve(job, [&] { settle(job, scene.now); });
    scene = look(spool_, host_);
    carry_out(scene);
    count_use(scene);
    return std::any_of(scene.jobs.begin(), scene.jobs.end(),
                       [&](const SceneJob& job) { return own(job) && job.state.at != JobState::At::held; });
  }

 private:
  static bool own(const SceneJob& job) { return job.uid == ::geteuid(); }

  /// What is wrong with one job keeps no other one waiting.
  template <typename Work>
  void serve(const SceneJob& job, const Work& work) try {
    work();
  } catch (const std::exception& e) {
    say_once(job.ticket.id + e.what(), "job " + job.ticket.id + ": " + e.what());
  }

  void say_once(const std::string& key, const std::string& text) {
    if (said_.insert(key).second) log().warning(text);
  }

  void tell_problems(const Scene& scene) {
    for (const std::string& problem : scene.problems) say_once(problem, problem);
  }

  /// Nothing follows from it: durations are of the clock that cannot be set.
  void tell_of_clock(const Moment& now) {
    const double ahead = now.wall - now.boot;
    if (ahead_ != 0 && std::abs(ahead - ahead_) > 60)
      log().warning("the clock was set by " + std::to_string(static_cast<long long>(ahead - ahead_)) +
                    " s; slices and waiting times are counted on, as if it had not been");
    ahead_ = ahead;
  }

  /// What has ended, and what is to end.
  void settle(SceneJob& job, const Moment& now) {
    if (job.state.at != JobState::At::running) return;
    // What it has left behind may hold its locks still: then its parts are taken, and it is over.
    if (!job.kept || end_of(own_folder_, job)) {
      const double used = use_since(job, now);
      settle_ended(spool_, job, now);
      // After it: of a job that cannot be settled, the same seconds would be counted at each look.
      add_to_sum(used, now);
      log().info(job.ticket.id + " " + job.ticket.name + ": " + said_of(job.state));
      return;
    }
    if (job.state.wish == JobState::Wish::none || !job.begun) return;
    if (!job.state.told) {
      signal_keeper(*job.begun, SIGTERM);
      job.state.told = now;
      write_state(spool_, job);
    } else if (job.state.wish == JobState::Wish::cancel && seconds_between(*job.state.told, now) > host_.stop_seconds) {
      signal_keeper(*job.begun, SIGUSR1);
    } else if (is_deaf(job, now)) {
      say_once(job.ticket.id + " deaf" + std::to_string(job.state.start),
               "job " + job.ticket.id +
                   " was told to save and stop, and does not: nobody waits for its parts any more; " +
                   "nephron cancel " + job.ticket.id + " ends it");
    }
  }

  static std::string said_of(const JobState& state) {
    const std::string how = state.at == JobState::At::ended ? name_of(state.how) : name_of(state.at);
    return how + (state.why.empty() ? "" : " (" + state.why + ")");
  }

  void carry_out(Scene& scene) {
    std::vector<std::size_t> index;
    const PlanInput input = plan_input(scene, host_, ::geteuid(), index);
    const std::vector<Decision> decisions = plan(input);
    for (std::size_t i = 0; i < decisions.size(); ++i) {
      SceneJob& job = scene.jobs[index[i]];
      if (!own(job)) continue;
      serve(job, [&] {
        if (decisions[i].what == Decision::What::start) start(job, decisions[i], scene.now);
        if (decisions[i].what == Decision::What::yield) yield(job, decisions[i].why);
      });
    }
  }

  void yield(SceneJob& job, const std::string& why) {
    job.state.wish = JobState::Wish::yield;
    job.state.why = why;
    write_state(spool_, job);
    log().info(job.ticket.id + " " + job.ticket.name + " yields: " + why);
  }

  void start(SceneJob& job, const Decision& decision, const Moment& now) {
    auto locks = locks_.take(decision.parts);
    if (!locks) return;  // somebody was quicker: the next look shows it
    auto lock = spool_.lock(job.ticket.id + ".lock", false);
    if (!lock) return say_once(job.ticket.id + " kept", "job " + job.ticket.id + " is kept by a process already");
    locks->push_back(std::move(*lock));
    for (Descriptor& held : *locks) held = keep_over_exec(std::move(held));
    JobState& state = job.state;
    state.at = JobState::At::running;
    state.wish = JobState::Wish::none;
    state.rests = false;
    state.told.reset();
    state.since = state.counted = now;
    ++state.start;
    state.parts = decision.parts;
    state.fills = decision.fills;
    state.progress = progress_of(job.ticket.run);
    state.why.clear();
    write_state(spool_, job);
    const pid_t pid = ::fork();
    if (pid == 0) keep_job(spool_, host_, job.ticket, state, std::move(*locks));
    if (pid < 0) return log().error(std::string("cannot start a process: ") + std::strerror(errno));
    log().info(job.ticket.id + " " + job.ticket.name + (state.start == 1 ? " starts on " : " goes on, on ") +
               text_of(state.parts));
  }

  /// GPU-seconds that are not in the sum yet.
  double use_since(const SceneJob& job, const Moment& now) const {
    return cost_per_second(job.state.parts, host_.machine) * seconds_between(job.state.counted, now);
  }

  /// The job's state first: of a kill between the two, seconds are lost rather than counted twice.
  void add_to_sum(double used, const Moment& now) const {
    UseSum sum = read_own_use(spool_);
    sum.seconds = decayed(sum.seconds, seconds_between(sum.at, now)) + used;
    sum.at = now;
    spool_.write("use.json", text_of(sum));
  }

  void count_use(Scene& scene) {
    for (SceneJob& job : scene.jobs) {
      if (!own(job) || job.state.at != JobState::At::running || !job.kept) continue;
      if (seconds_between(job.state.counted, scene.now) < count_every) continue;
      serve(job, [&] {
        const double used = use_since(job, scene.now);
        job.state.left = seconds_left(job.ticket.run);
        job.state.left_at = job.state.counted = scene.now;
        write_state(spool_, job);
        add_to_sum(used, scene.now);
      });
    }
  }

  const Spool& spool_;
  const HostFile& host_;
  UserFolder own_folder_;
  PartLocks locks_;
  Moment beat_;
  double ahead_ = 0;
  std::set<std::string> said_;
};

}  // namespace

void run_agent(const Spool& spool, const HostFile& host) {
  std::optional<Descriptor> lock = spool.lock(agent_lock, false);
  if (!lock) return;
  ::umask(022);
  Agent agent(spool, host);
  std::string last_error;
  while (!interrupted()) {
    const auto began = Clock::now();
    try {
      const auto own = spool.lock(user_lock, true);
      if (!agent.tick()) {
        lock.reset();  // under the user's lock: who submits now sees that none is there
        return;
      }
      last_error.clear();
    } catch (const std::exception& e) {  // a full disk, for a while; jobs that run go on
      const auto* const ours = dynamic_cast<const Error*>(&e);
      const std::string text = e.what() + (ours != nullptr && !ours->hint().empty() ? "\n  " + ours->hint() : "");
      if (text != last_error) log().error(text);
      last_error = text;
    }
    // Of thousands of jobs a look takes its time: no more than a twentieth of a core goes into looking.
    const auto pause = std::clamp<Clock::duration>(20 * (Clock::now() - began), 500ms, 10s);
    for (const auto end = Clock::now() + pause; Clock::now() < end && !interrupted();)
      std::this_thread::sleep_for(100ms);
  }
}

}  // namespace nephron::host
