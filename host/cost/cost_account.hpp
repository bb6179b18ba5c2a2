#pragma once

#include <optional>

#include <host/cost/device_watch.hpp>
#include <host/cost/machine_time.hpp>
#include <host/registry/process_use.hpp>
#include <host/runs/cost_record.hpp>

namespace nephron::host {

/// What is seen of a session and its machine at one moment.
struct CostReading {
  double clock_s = 0;  ///< of a clock that never goes back
  ProcessUse ours;
  std::optional<MachineTime> machine;
  DeviceReading devices;
};

/// Turns readings into the cost of a session, which begins with the first.
class CostAccount {
 public:
  CostAccount(std::string started, int devices, int ranks);
  void add(const CostReading& reading);
  /// From now on the devices are held.
  void hold_devices() noexcept { held_since_.emplace(last_.clock_s), energy_begin_ = last_.devices.energy_j; }
  const SessionCost& cost() const noexcept { return cost_; }

 private:
  SessionCost cost_;
  int devices_;
  std::optional<CostReading> first_;
  CostReading last_;
  std::optional<double> held_since_, energy_begin_;
  bool alone_ = true;  ///< on its devices, at every reading
};

}  // namespace nephron::host
