#include <host/train/together.hpp>

#include <vector>

#include <nephron/error.hpp>
#include <nephron/nn/batch_norm.hpp>
#include <nephron/rng.hpp>

#include <host/config/load.hpp>
#include <host/ranks/rank_error.hpp>
#include <host/util/interrupt.hpp>
#include <host/util/log.hpp>

namespace nephron::host {

bool stop_asked(const Ranks* ranks) { return ranks == nullptr ? interrupted() : ranks->any(interrupted()); }

std::uint64_t seed_of_rank(const Ranks* ranks, std::uint64_t seed) {
  if (ranks == nullptr || ranks->first()) return seed;
  return Rng(seed, "train.rank", static_cast<std::uint64_t>(ranks->rank()), 0).bits64();
}

void share_weights(const Ranks* ranks, TrainState& state) {
  if (ranks == nullptr) return;
  ranks->require_alike("the checkpoint that is gone on from", std::to_string(state.progress.step));
  std::vector<at::Tensor> all = state.model().parameters();
  for (at::Tensor& buffer : state.model().buffers()) all.push_back(std::move(buffer));
  std::erase_if(all, [](const at::Tensor& t) { return !t.defined(); });
  ranks->share(all);
}

void first_decides(const Ranks* ranks, TrainProgress& progress, const TrainLengths& lengths,
                   const std::function<void()>& work) {
  if (ranks == nullptr) return work();
  if (ranks->first()) work();
  ranks->meet();  // in a collective the others would wait no longer than it allows
  progress = progress_of(JsonNode::parse(ranks->share(progress_text(progress)), "the progress of rank 0"), lengths);
}

struct SharedStatistics::Peers final : nn::BatchPeers {
  explicit Peers(const Ranks& r) : ranks(r) {}
  at::Tensor gather(const at::Tensor& own) const override { return ranks.gather(own); }
  void sum(const at::Tensor& own) const override { ranks.sum({own}); }
  const Ranks& ranks;
};

namespace {

int set_peers(torch::nn::Module& network, const nn::BatchPeers* peers) {
  int found = 0;
  for (const auto& module : network.modules())
    if (auto* const norm = dynamic_cast<nn::BatchNorm2d*>(module.get())) norm->share_with(peers), ++found;
  return found;
}

}  // namespace

SharedStatistics::SharedStatistics(const Ranks& ranks, torch::nn::Module& network)
    : peers_(std::make_unique<Peers>(ranks)), network_(network) {
  if (set_peers(network, peers_.get()) == 0)
    log().warning(
        "train.sync_batch_norm: the network has no batch normalisation of the SDK (nn::BatchNorm2d), and nothing is "
        "shared");
}

SharedStatistics::~SharedStatistics() { set_peers(network_, nullptr); }

namespace {

/// What is said anyway on the terminal of rank 0.
bool said_by_first(const std::string& why, const std::string& first) {
  return !first.empty() && (first.starts_with(why) || why.starts_with(first));
}

}  // namespace

int run_among(Ranks& ranks, const std::function<int()>& work) {
  constexpr int failed = 1, usage = 2, stopped = 130;
  try {
    const int code = work();
    ranks.leave();
    return code;
  } catch (const Cancelled&) {
    ranks.fail("interrupted");
    return stopped;
  } catch (const ConfigError& e) {
    const std::string first = ranks.fail(e.what());
    if (ranks.first() || !said_by_first(e.what(), first)) throw;
    return usage;
  } catch (const RankError& e) {
    ranks.fail(e.what());
    throw;
  } catch (const std::exception& e) {
    const std::string first = ranks.fail(e.what());
    if (ranks.first()) throw;
    if (said_by_first(e.what(), first)) return failed;
    const auto* const error = dynamic_cast<const Error*>(&e);
    throw Error(ranks.name() + ": " + e.what(), error == nullptr ? "" : error->hint());
  }
}

}  // namespace nephron::host
