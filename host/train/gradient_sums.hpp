#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <vector>

#include <ATen/core/Tensor.h>

#include <host/ranks/ranks.hpp>

namespace nephron::host {

/// Sums the gradients of several ranks while the backward pass still makes others: parameters are parted into buckets,
/// from the last to the first, as their gradients come, and a bucket leaves when all of its gradients are there (Li et
/// al. 2020, arXiv:2006.15704). Buckets leave in their order, so that all ranks send alike. The sums are those of
/// Ranks::sum().
class GradientSums {
 public:
  /// Of these parameters, in the order in which the network has them. `ranks` outlives it.
  GradientSums(const Ranks& ranks, std::vector<at::Tensor> parameters,
               std::int64_t bucket_bytes = std::int64_t{8} << 20);
  ~GradientSums();
  GradientSums(const GradientSums&) = delete;
  GradientSums& operator=(const GradientSums&) = delete;

  /// The backward pass that follows is the step's last: its gradients may leave.
  void begin();
  /// Sends what has not left, and waits for all. `gradients`: those that there are, of these parameters. Throws
  /// RankError as Ranks::sum().
  void finish(const std::vector<at::Tensor>& gradients);
  /// Buckets that left while the last backward pass was going on.
  int early() const noexcept { return early_; }

 private:
  struct Hook;
  struct Bucket {
    std::vector<at::Tensor> parameters;
    std::int64_t waits = 0;  ///< for gradients
  };
  void arrived(std::size_t parameter);
  void send(std::size_t bucket);

  const Ranks& ranks_;
  std::vector<at::Tensor> parameters_;
  std::vector<std::size_t> bucket_of_;
  std::vector<bool> there_;
  std::vector<Bucket> buckets_;
  std::size_t next_ = 0;  ///< bucket that leaves next
  bool begun_ = false;
  int early_ = 0;
  std::vector<SumOnTheWay> on_the_way_;
  std::exception_ptr failed_;  ///< in the backward pass, where it would be taken for a component's
};

}  // namespace nephron::host
