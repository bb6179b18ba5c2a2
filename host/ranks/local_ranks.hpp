#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <host/ranks/place.hpp>
#include <host/util/child_process.hpp>

namespace nephron::host {

/// The other ranks of a command that runs as several on this machine: as many more processes of the same command, each
/// told its place by its environment as torchrun would. This process is rank 0. They are ended with it.
class LocalRanks {
 public:
  /// Throws Error where one cannot be started.
  explicit LocalRanks(int count);
  const RankPlace& place() const noexcept { return place_; }
  /// How the process of that rank ended, with its last words; nothing while it runs, and of rank 0.
  std::optional<std::string> end_of(int rank) const;

 private:
  RankPlace place_;
  std::vector<std::unique_ptr<ChildProcess>> others_;
};

}  // namespace nephron::host
