#pragma once

#include <optional>
#include <string_view>

namespace nephron::host {

/// What all processors of this machine have worked since it started, in seconds: for whomever, waiting for disks not
/// counted.
struct MachineTime {
  double busy_s = 0;
  int cores = 0;
};

/// Of the text of /proc/stat; nothing for anything else.
std::optional<MachineTime> machine_time_in(std::string_view proc_stat, double ticks_a_second);

/// Now; nothing where the system does not tell.
std::optional<MachineTime> machine_time();

}  // namespace nephron::host
