#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <host/replay/step_digests.hpp>

namespace nephron::host {

/// The first thing in which a training differs from what a run left.
struct Divergence {
  std::int64_t step = 0;
  enum class What : std::uint8_t { batch, loss, tensor } what = What::batch;
  std::string tensor;       ///< the first that differs, by its name
  std::size_t tensors = 0;  ///< how many do
  double loss_then = 0, loss_now = 0;
  bool of_data() const noexcept { return what == What::batch; }
};

/// Compares steps with those of a record as they are done.
class ReplayWatch : public StepWatch {
 public:
  /// Thrown to end the training: something differs, or enough was seen.
  struct Enough {};

  /// `last`: the step after which it is enough; 0: that of the record. `goes_on`: it is never enough, and the first
  /// difference is only kept. `ranks`: others train with this process, and would wait for it in vain: in place of
  /// throwing, the training is stopped as by Ctrl-C, behind a step. The record outlives this.
  ReplayWatch(const DigestRecord& record, std::int64_t last, bool goes_on = false, bool ranks = false);
  void step(std::int64_t step, std::uint64_t batch, double loss) override;
  void tensors(std::int64_t step, const TensorDigests& digests) override;

  const std::optional<Divergence>& divergence() const noexcept { return divergence_; }
  bool enough() const noexcept { return enough_; }              ///< it has stopped the training
  std::int64_t compared() const noexcept { return compared_; }  ///< steps
  std::int64_t looks() const noexcept { return looks_; }        ///< at all tensors
  std::size_t tensor_count() const noexcept { return count_; }
  std::int64_t first() const noexcept { return first_; }  ///< step that was compared
  std::int64_t last() const noexcept { return seen_; }    ///< step that was compared

 private:
  void take(Divergence found);
  void end_if_enough();
  void end();

  const DigestRecord& record_;
  std::int64_t last_;
  bool goes_on_, ranks_, enough_ = false;
  std::optional<Divergence> divergence_;
  std::int64_t compared_ = 0, looks_ = 0, first_ = 0, seen_ = 0;
  std::size_t count_ = 0;
};

}  // namespace nephron::host
