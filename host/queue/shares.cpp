#include <host/queue/shares.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include <host/queue/gpu_use.hpp>
#include <host/registry/process_use.hpp>

namespace nephron::host {

namespace {

/// Agents, shells and editors of a user take so little, and a look at busy processors is not exact.
constexpr double some_cores = 0.5;
/// Of a GPU's memory: what a driver keeps for a process.
constexpr double some_memory = 0.02;

double held_of(const Parts& parts, std::size_t gpu) {
  Parts one;
  one.gpus[gpu] = parts.gpus[gpu];
  return static_cast<double>(one.count_gpu_parts()) / gpu_parts;
}

void add_measured(UserShare& out, const Parts& held, const MeasuredUse& use, const Machine& machine) {
  const auto add = [&](const std::string& what) { out.beyond += (out.beyond.empty() ? "" : ", ") + what; };
  out.cores_used = use.cores;
  if (const double more = use.cores.value_or(0) - out.cores_held; more > some_cores) {
    char text[32];
    std::snprintf(text, sizeof text, "%.1f cores", more);
    add(text);
  }
  for (std::size_t i = 0; i < std::min(machine.gpus.size(), use.gpu.size()); ++i) {
    const double used =
        static_cast<double>(use.gpu[i]) / static_cast<double>(std::max<std::int64_t>(1, machine.gpus[i].bytes));
    out.gpus_used += used;
    if (used > held_of(held, i) + some_memory) add("GPU " + std::to_string(i));
  }
}

}  // namespace

std::vector<UserShare> shares_of(const Scene& scene, const HostFile& host,
                                 const std::map<std::string, MeasuredUse>& measured) {
  double sum = 0;
  std::map<std::string, UserShare> all;
  std::map<std::string, Parts> held;
  for (const auto& [user, seconds] : scene.use) all[user].gpu_seconds = seconds, sum += seconds;
  for (const SceneJob& job : scene.jobs)
    if (job.state.at == JobState::At::running && job.kept) held[job.user].add(job.state.parts), all[job.user];
  for (const auto& [user, use] : measured) all[user];
  std::vector<UserShare> out;
  for (auto& [user, share] : all) {
    Parts& parts = held[user];
    Parts not_held = parts;  // nobody has what he does not hold, whatever his files say
    not_held.remove(scene.held);
    parts.remove(not_held);
    share.user = user;
    share.share = sum > 0 ? share.gpu_seconds / sum : 0;
    share.cores_held = parts.count_cores();
    share.gpus_held = static_cast<double>(parts.count_gpu_parts()) / gpu_parts;
    if (const auto use = measured.find(user); use != measured.end())
      add_measured(share, parts, use->second, host.machine);
    if (share.gpu_seconds >= 1 || !parts.empty() || !share.beyond.empty()) out.push_back(share);
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const UserShare& a, const UserShare& b) { return a.gpu_seconds > b.gpu_seconds; });
  return out;
}

std::map<std::string, MeasuredUse> UseMeter::now(const HostFile& host) {
  const Moment moment = Moment::now();
  std::map<uid_t, MeasuredUse> by_number;
  const std::map<uid_t, double> cpu = ProcessTable::now().cpu_by_user();
  const double seconds = before_ ? moment.boot - *before_ : 0;
  for (const auto& [uid, total] : cpu) {
    by_number[uid];
    // A process that is gone takes what it had along: then less is seen than there was.
    if (const auto known = cpu_before_.find(uid); known != cpu_before_.end() && seconds > 0)
      by_number[uid].cores = std::max(0.0, total - known->second) / seconds;
  }
  cpu_before_ = cpu, before_ = moment.boot;
  const auto& gpus = host.machine.gpus;
  for (const GpuProcess& process : processes_on(gpus))
    if (const auto uid = owner_of(process.pid)) {
      MeasuredUse& use = by_number[*uid];
      use.gpu.resize(gpus.size());
      use.gpu[process.gpu] += process.bytes;
    }
  std::map<std::string, MeasuredUse> out;
  for (auto& [uid, use] : by_number) out[user_named(uid)] = std::move(use);
  return out;
}

}  // namespace nephron::host
