#include <host/cost/cost_account.hpp>

#include <algorithm>
#include <utility>

namespace nephron::host {

CostAccount::CostAccount(std::string started, int devices, int ranks) : devices_(devices) {
  cost_.started = std::move(started);
  cost_.ranks = ranks;
}

void CostAccount::add(const CostReading& now) {
  if (!first_) first_ = now;
  last_ = now;
  cost_.wall_s = now.clock_s - first_->clock_s;
  // A process that ended without being waited for takes its seconds with it.
  cost_.cpu_s = std::max(cost_.cpu_s, now.ours.cpu_seconds - first_->ours.cpu_seconds);
  cost_.peak_rss_mb = std::max(cost_.peak_rss_mb, now.ours.memory_mb);
  if (now.machine && first_->machine) {
    cost_.others_cpu_s = std::max(0.0, now.machine->busy_s - first_->machine->busy_s - cost_.cpu_s);
    cost_.machine_s = now.machine->cores * cost_.wall_s;
  }
  if (devices_ == 0 || !held_since_) return;
  cost_.gpu_s = (now.clock_s - *held_since_) * devices_ * cost_.ranks;
  if (now.devices.shared) cost_.gpu_shared = cost_.gpu_shared.value_or(false) || *now.devices.shared;
  alone_ = alone_ && now.devices.shared == false;
  cost_.energy_wh.reset();
  // Of ranks only this one's device is read.
  if (alone_ && cost_.ranks == 1 && energy_begin_ && now.devices.energy_j && *now.devices.energy_j >= *energy_begin_)
    cost_.energy_wh = (*now.devices.energy_j - *energy_begin_) / 3600;
}

}  // namespace nephron::host
