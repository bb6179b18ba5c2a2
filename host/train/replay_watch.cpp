#include <host/train/replay_watch.hpp>

#include <algorithm>
#include <bit>
#include <map>
#include <utility>

#include <host/util/interrupt.hpp>

namespace nephron::host {

namespace {

bool same_bits(double a, double b) { return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b); }

std::int64_t last_of(const DigestRecord& record) { return record.steps.empty() ? 0 : record.steps.rbegin()->first; }

}  // namespace

ReplayWatch::ReplayWatch(const DigestRecord& record, std::int64_t last, bool goes_on, bool ranks)
    : record_(record),
      last_(last > 0 ? std::min(last, last_of(record)) : last_of(record)),
      goes_on_(goes_on),
      ranks_(ranks) {}

void ReplayWatch::step(std::int64_t step, std::uint64_t batch, double loss) {
  if (enough_) return;  // ranks stop behind the step
  const auto then = record_.steps.find(step);
  if (then != record_.steps.end()) {
    if (first_ == 0) first_ = step;
    ++compared_, seen_ = step;
    const auto& [was_batch, was_loss] = then->second;
    if (was_batch != batch) take({step, Divergence::What::batch, {}, 0, was_loss, loss});
    else if (!same_bits(was_loss, loss)) take({step, Divergence::What::loss, {}, 0, was_loss, loss});
  }
  // The tensors of a 50th step come behind it.
  if (!record_.tensors.contains(step)) end_if_enough();
}

void ReplayWatch::tensors(std::int64_t step, const TensorDigests& digests) {
  const auto then = record_.tensors.find(step);
  if (then == record_.tensors.end() || enough_) return;
  ++looks_;
  count_ = std::max(count_, digests.size());
  const std::map<std::string, std::uint64_t> now(digests.begin(), digests.end());
  std::size_t others = 0;
  std::string first;
  for (const auto& [name, digest] : then->second) {
    const auto found = now.find(name);
    if (found != now.end() && found->second == digest) continue;
    if (others++ == 0) first = name;
  }
  for (const auto& [name, digest] : digests) {
    const bool known = std::any_of(then->second.begin(), then->second.end(),
                                   [&, wanted = name](const auto& entry) { return entry.first == wanted; });
    if (!known && others++ == 0) first = name;
  }
  if (others > 0) take({step, Divergence::What::tensor, first, others, 0, 0});
  if (step > 0) end_if_enough();
}

void ReplayWatch::take(Divergence found) {
  if (!divergence_) divergence_ = std::move(found);
  if (!goes_on_) end();
}

void ReplayWatch::end_if_enough() {
  if (!goes_on_ && seen_ >= last_) end();
}

void ReplayWatch::end() {
  enough_ = true;
  if (!ranks_) throw Enough();
  set_interrupted(true);
}

}  // namespace nephron::host
