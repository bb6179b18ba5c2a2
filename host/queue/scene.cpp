#include <host/queue/scene.hpp>

#include <algorithm>
#include <cmath>

#include <nlohmann/json.hpp>

#include <nephron/error.hpp>

#include <host/queue/gpu_use.hpp>
#include <host/queue/keeper.hpp>
#include <host/queue/virtual_time.hpp>
#include <host/registry/process_use.hpp>

namespace nephron::host {

namespace {

/// An agent that has said nothing for so long hangs, and its user's jobs are in nobody's way.
constexpr double most_silence = 30;
/// What a driver and a screen take of a GPU's memory is no use.
constexpr double least_share = 0.02;

bool agent_is_well(const UserFolder& folder, const Moment& now) {
  if (!folder.held(agent_lock)) return false;
  const auto text = folder.read(agent_beat);
  return text && seconds_between(read_beat(*text, folder.file(agent_beat).string()).at, now) <= most_silence;
}

void read_user(const UserFolder& folder, Scene& scene) {
  const std::string user = user_named(folder.uid());
  const auto guarded = [&](const auto& work) {
    try {
      work();
    } catch (const Error& e) {
      scene.problems.emplace_back(e.what());
    }
  };
  scene.agents[folder.uid()] = false;
  guarded([&] { scene.agents[folder.uid()] = agent_is_well(folder, scene.now); });
  guarded([&] {
    if (const auto text = folder.read("use.json")) {
      const UseSum use = read_use(*text, folder.file("use.json").string());
      scene.use[user] = decayed(use.seconds, seconds_between(use.at, scene.now));
    }
  });
  for (const std::string& name : folder.names(ticket_ending))
    guarded([&] {
      SceneJob job = read_job(folder, name.substr(0, name.size() - std::string(ticket_ending).size()));
      if (job.state.at != JobState::At::ended) scene.jobs.push_back(std::move(job));
    });
}

/// The sixteenths of each GPU that others use, of those that no lock holds.
Parts used_outside(const Scene& scene, const HostFile& host) {
  Parts out;
  const auto& gpus = host.machine.gpus;
  if (std::all_of(gpus.begin(), gpus.end(), [](const Gpu& gpu) { return gpu.made_up(); })) return out;
  const auto bytes = use_of_others(gpus, ProcessTable::now().below(keepers_of(scene)));
  for (std::size_t i = 0; i < gpus.size(); ++i) {
    const double share = static_cast<double>(bytes[i]) / static_cast<double>(std::max<std::int64_t>(1, gpus[i].bytes));
    int count = share < least_share ? 0 : std::min(gpu_parts, static_cast<int>(std::ceil(share * gpu_parts)));
    for (int k = gpu_parts - 1; k >= 0 && count > 0; --k)
      if ((scene.held.gpus[i] >> k & 1) == 0) {
        out.gpus[i] = static_cast<GpuMask>(out.gpus[i] | (1U << k));
        --count;
      }
  }
  return out;
}

}  // namespace

std::set<pid_t> keepers_of(const Scene& scene) {
  std::set<pid_t> out;
  for (const SceneJob& job : scene.jobs)
    if (job.kept && job.begun && is_keeper(*job.begun, job.uid)) out.insert(static_cast<pid_t>(job.begun->keeper));
  return out;
}

std::optional<double> rest_left(const SceneJob& job, const HostFile& host, const Moment& now) {
  if (job.state.at != JobState::At::waiting || !job.state.rests) return std::nullopt;
  const double left = host.rest_seconds - seconds_between(job.state.since, now);
  return left > 0 ? std::optional(left) : std::nullopt;
}

bool is_deaf(const SceneJob& job, const Moment& now) {
  constexpr double most_saving = 300;
  return job.state.at == JobState::At::running && job.state.wish != JobState::Wish::none && job.state.told &&
         seconds_between(*job.state.told, now) > most_saving;
}

SceneJob read_job(const UserFolder& folder, const std::string& id) {
  SceneJob out;
  out.uid = folder.uid();
  out.user = user_named(folder.uid());
  const auto read = [&](const std::string& ending) { return folder.read(id + ending); };
  const auto file = [&](const std::string& ending) { return folder.file(id + ending).string(); };
  const auto ticket = read(ticket_ending);
  if (!ticket) throw Error(file(ticket_ending) + " is gone");
  out.ticket = read_ticket(*ticket, file(ticket_ending));
  if (out.ticket.id != id.substr(id.rfind('/') + 1))
    throw Error(file(ticket_ending) + " is the ticket of job " + out.ticket.id + ": an id stands for one job alone");
  const auto state = read(state_ending);
  if (!state) throw Error(file(state_ending) + " is gone: nobody knows what its job is at");
  out.state = read_state(*state, file(state_ending));
  out.kept = folder.held(id + ".lock");
  if (const auto begun = read(".begun.json")) out.begun = read_begun(*begun, file(".begun.json"));
  if (out.begun && out.begun->start != out.state.start) out.begun.reset();
  return out;
}

Scene look(const Spool& spool, const HostFile& host) {
  Scene out;
  out.now = Moment::now();
  for (const UserFolder& folder : spool.users(out.problems)) read_user(folder, out);
  out.held = PartLocks(spool.locks(), host.machine).held();
  out.outside = used_outside(out, host);
  // What runs and is not in the sum yet.
  for (const SceneJob& job : out.jobs)
    if (job.state.at == JobState::At::running && job.kept)
      out.use[job.user] += cost_per_second(job.state.parts, host.machine) * seconds_between(job.state.counted, out.now);
  return out;
}

PlanInput plan_input(const Scene& scene, const HostFile& host, uid_t own, std::vector<std::size_t>& index) {
  PlanInput out;
  out.machine = host.machine;
  out.rules = host.rules;
  out.use = scene.use;
  out.taken = scene.held;
  out.taken.add(scene.outside);
  for (std::size_t i = 0; i < scene.jobs.size(); ++i) {
    const SceneJob& job = scene.jobs[i];
    const bool runs = job.state.at == JobState::At::running;
    const auto agent = scene.agents.find(job.uid);
    const bool served = job.uid == own || (agent != scene.agents.end() && agent->second);
    if (runs ? !job.kept : job.state.at != JobState::At::waiting || !served) continue;
    if (rest_left(job, host, scene.now)) continue;
    PlanJob j;
    j.user = job.user;
    j.id = job.ticket.id;
    j.request = job.ticket.request;
    j.submitted = job.ticket.submitted.wall;
    j.may_yield = job.ticket.may_yield();
    const double since = seconds_between(job.state.since, scene.now);
    (runs ? j.ran : j.waited) = since - (job.state.rests ? host.rest_seconds : 0);
    if (job.state.left && runs) j.left = std::max(0.0, *job.state.left - seconds_between(job.state.left_at, scene.now));
    else j.left = job.state.left;
    if (runs) {
      j.at = job.state.wish == JobState::Wish::none ? PlanJob::At::running : PlanJob::At::leaving;
      if (is_deaf(job, scene.now)) {  // its parts are not waited for, and others are told to make room
        j.at = PlanJob::At::running;
        j.may_yield = false;
        j.left.reset();
      }
      j.fills = job.state.fills;
      // Nobody has what he does not hold, whatever his files say.
      Parts not_held = job.state.parts;
      not_held.remove(scene.held);
      j.parts = job.state.parts;
      j.parts.remove(not_held);
      out.taken.remove(j.parts);
    }
    out.jobs.push_back(std::move(j));
    index.push_back(i);
  }
  return out;
}

}  // namespace nephron::host
