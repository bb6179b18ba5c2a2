#include <host/util/job_plan.hpp>

#include <algorithm>
#include <cstdlib>
#include <thread>

#include <host/util/log.hpp>

namespace nephron::host {

namespace {
int all_cores() { return static_cast<int>(std::max(1U, std::thread::hardware_concurrency())); }
}  // namespace

JobPlan JobPlan::of(const std::vector<std::string>& devices, int jobs, const std::string& device) {
  JobPlan out;
  out.by_device = !devices.empty();
  out.devices = out.by_device ? devices : std::vector<std::string>(static_cast<std::size_t>(std::max(1, jobs)), device);
  return out;
}

JobPlan JobPlan::for_pieces(std::size_t pieces) const {
  JobPlan out = *this;
  out.devices.resize(std::clamp<std::size_t>(devices.size(), 1, std::max<std::size_t>(1, pieces)));
  return out;
}

int JobPlan::together() const {
  std::ptrdiff_t most = 1;
  for (const std::string& device : devices) most = std::max(most, std::count(devices.begin(), devices.end(), device));
  return static_cast<int>(most);
}

int JobPlan::threads(int of_experiment) const {
  if (of_experiment > 0 || std::getenv("OMP_NUM_THREADS") != nullptr) return of_experiment;
  return cores();
}

int JobPlan::cores() const { return std::max(1, all_cores() / static_cast<int>(devices.size())); }

std::string JobPlan::option() const {
  if (!by_device) return "--jobs " + std::to_string(devices.size());
  std::string text = "--devices ";
  for (std::size_t i = 0; i < devices.size(); ++i) text += (i > 0 ? "," : "") + devices[i];
  return text;
}

void JobPlan::warn_of_threads(int threads_each) const {
  if (threads_each * static_cast<int>(devices.size()) > all_cores())
    log().warning("that is more threads than the " + std::to_string(all_cores()) +
                  " cores of this machine: the processes wait for each other; lower train.threads or --jobs");
}

}  // namespace nephron::host
