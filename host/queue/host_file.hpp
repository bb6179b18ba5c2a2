#pragma once

#include <filesystem>
#include <string>

#include <host/queue/parts.hpp>
#include <host/queue/plan.hpp>

namespace nephron::host {

/// What the queue knows of this machine.
struct HostFile {
  std::filesystem::path spool;
  std::filesystem::path file;  ///< the host.toml that was read; empty: there is none
  Machine machine;
  PlanRules rules;
  double stop_seconds = 60;  ///< a cancelled job that has not ended by then is killed
  double rest_seconds = 60;  ///< what had nothing to do yet is in line again so much later
  bool pin_cores = true;     ///< jobs run on the cores that they hold; false where more are listed than there are
};

/// The spool is NEPHRON_SPOOL, or what /etc/nephron/host.toml says, or /var/tmp/nephron-queue. The machine is what
/// SPOOL/host.toml, else /etc/nephron/host.toml says; without one, its cores and NVIDIA's GPUs. Everybody reads the
/// same, so that all agents plan alike. Throws Error and ConfigError.
HostFile read_host();

/// Of a text; `name` is what faults call it. What it does not say is kept as in `otherwise`. `of_spool`: it lies in the
/// spool, where that cannot be said any more.
HostFile parse_host(const std::string& text, const std::string& name, HostFile otherwise, bool of_spool = false);

}  // namespace nephron::host
