#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <torch/csrc/distributed/c10d/Store.hpp>

namespace nephron::host {

/// Threads that tell the other ranks that this one lives, and learn that one of them does not. Collectives notice a
/// process that died, but not a machine that does, and not who it was.
class RankWatch {
 public:
  /// `store`: a connection of its own. `names`: of all ranks, for people. `silence`: how long a rank may not be heard
  /// of. When another is found to be gone and this process has not ended `grace` later, it is ended.
  RankWatch(c10::intrusive_ptr<c10d::Store> store, int rank, std::vector<std::string> names,
            std::chrono::milliseconds silence, std::chrono::milliseconds grace);
  ~RankWatch();
  RankWatch(const RankWatch&) = delete;
  RankWatch& operator=(const RankWatch&) = delete;

  /// Why the ranks cannot go on, in one sentence; none while they can.
  std::optional<std::string> failure() const;
  /// The same, after a collective failed: waits a little for whoever failed to say why, and if none does, says who is
  /// silent.
  std::string explain() const;
  /// Tells the others that this rank ends with an error. Returns what rank 0 said of its own end within a little while,
  /// where that is another rank; "" when it said nothing.
  std::string fail(const std::string& why);
  /// Nothing is watched any more.
  void stop();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace nephron::host
