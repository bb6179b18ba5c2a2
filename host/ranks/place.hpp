#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace nephron::host {

/// Where a process stands among those that train one model together ("ranks"), and where they meet.
struct RankPlace {
  int rank = 0, count = 1;
  int local = 0;        ///< among those of this machine
  int local_count = 1;  ///< ranks of this machine, where that is known
  std::string address;  ///< of the machine where they meet
  std::uint16_t port = 0;
  bool store_is_there = false;  ///< torchrun listens at the address itself; otherwise rank 0 does
  std::string round;            ///< tells one start of the ranks from the next at the same address
  std::string starter;          ///< "torchrun", "srun"
};

/// The value of an environment variable, or null.
using Environment = std::function<const char*(const char*)>;

/// What torchrun (RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR, MASTER_PORT) or srun (SLURM_PROCID, SLURM_NTASKS,
/// SLURM_LOCALID, SLURM_JOB_NODELIST) say; none for a process that is alone. Throws UsageError for variables that say
/// half of it, or what cannot be.
std::optional<RankPlace> place_among_ranks(const Environment& variable);
/// Of this process's own environment.
std::optional<RankPlace> place_among_ranks();

/// The first machine of a list as Slurm writes it: "gpu[003-007,9],login" is gpu003.
std::string first_host(const std::string& list);

}  // namespace nephron::host
