#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <host/ranks/ranks.hpp>
#include <host/train/train_state.hpp>

// What a training does differently when several ranks share it. `ranks` is null for a process that is alone.
namespace nephron::host {

/// Ctrl-C on this rank, or on any: all stop behind the same step.
bool stop_asked(const Ranks* ranks);

/// The seed of what modules draw in a step. Rank 0 draws as a process that is alone.
std::uint64_t seed_of_rank(const Ranks* ranks, std::uint64_t seed);

/// Every rank has the weights and buffers of rank 0 from here on. Called where an epoch begins: processors that round
/// otherwise, or draw other first weights, do not drift apart. Throws Error where ranks stand at different steps.
void share_weights(const Ranks* ranks, TrainState& state);

/// Rank 0 works (writes, decides) and the others wait; all go on with its progress.
void first_decides(const Ranks* ranks, TrainProgress& progress, const TrainLengths& lengths,
                   const std::function<void()>& work);

/// Lets the network's batch normalisations take their statistics from the batches of all ranks while it lives. Warns
/// where there are none.
class SharedStatistics {
 public:
  SharedStatistics(const Ranks& ranks, torch::nn::Module& network);
  ~SharedStatistics();
  SharedStatistics(const SharedStatistics&) = delete;
  SharedStatistics& operator=(const SharedStatistics&) = delete;

 private:
  struct Peers;
  std::unique_ptr<Peers> peers_;
  torch::nn::Module& network_;
};

/// Runs what this rank does of a training, to its end with the others. What it throws is told to them; what rank 0 says
/// of its end anyway is not said again. Returns the program's exit code.
int run_among(Ranks& ranks, const std::function<int()>& work);

}  // namespace nephron::host
