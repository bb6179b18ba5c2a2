#include <host/train/gradient_sums.hpp>

#include <algorithm>
#include <utility>

#include <torch/csrc/autograd/function_hook.h>
#include <torch/csrc/autograd/variable.h>

#include <nephron/error.hpp>

namespace nephron::host {

struct GradientSums::Hook final : torch::autograd::PostAccumulateGradHook {
  Hook(GradientSums& to, std::size_t number) : sums(to), parameter(number) {}
  void operator()(const torch::autograd::Variable&) override { sums.arrived(parameter); }
  GradientSums& sums;
  std::size_t parameter;
};

GradientSums::GradientSums(const Ranks& ranks, std::vector<at::Tensor> parameters, std::int64_t bucket_bytes)
    : ranks_(ranks), parameters_(std::move(parameters)), bucket_of_(parameters_.size()), there_(parameters_.size()) {
  std::int64_t bytes = 0;
  for (std::size_t i = parameters_.size(); i-- > 0;) {
    const at::Tensor& parameter = parameters_[i];
    const auto more = static_cast<std::int64_t>(parameter.nbytes());
    const bool fits = !buckets_.empty() && bytes + more <= bucket_bytes &&
                      buckets_.back().parameters.front().options().type_equal(parameter.options());
    if (!fits) buckets_.emplace_back(), bytes = 0;
    bytes += more;
    bucket_of_[i] = buckets_.size() - 1;
    buckets_.back().parameters.push_back(parameter);
    torch::autograd::impl::set_post_acc_grad_hooks(parameter, std::make_unique<Hook>(*this, i));
  }
}

GradientSums::~GradientSums() {
  for (const at::Tensor& parameter : parameters_) torch::autograd::impl::set_post_acc_grad_hooks(parameter, nullptr);
}

void GradientSums::begin() {
  std::fill(there_.begin(), there_.end(), false);
  for (Bucket& bucket : buckets_)
    bucket.waits = std::count_if(bucket.parameters.begin(), bucket.parameters.end(),
                                 [](const at::Tensor& p) { return p.requires_grad(); });
  on_the_way_.clear();
  failed_ = nullptr;
  next_ = 0;
  early_ = 0;
  begun_ = true;
}

void GradientSums::arrived(std::size_t parameter) {
  if (!begun_ || failed_ != nullptr) return;
  try {
    const std::size_t bucket = bucket_of_[parameter];
    if (there_[parameter]) {
      // Of a network that runs a backward pass within the other one, and shares a parameter between both.
      if (bucket < next_)
        throw Error("a gradient changed after it had been sent to the other ranks",
                    "A component adds to a parameter's gradient twice in one backward pass; train with one process.");
      return;
    }
    there_[parameter] = true;
    --buckets_[bucket].waits;
    while (next_ < buckets_.size() && buckets_[next_].waits <= 0) {
      send(next_++);
      ++early_;
    }
  } catch (...) {
    failed_ = std::current_exception();
  }
}

void GradientSums::send(std::size_t bucket) {
  std::vector<at::Tensor> gradients;
  for (const at::Tensor& parameter : buckets_[bucket].parameters)
    if (parameter.grad().defined()) gradients.push_back(parameter.grad());
  if (!gradients.empty()) on_the_way_.push_back(ranks_.begin_sum(gradients));
}

void GradientSums::finish(const std::vector<at::Tensor>& gradients) {
  const bool begun = std::exchange(begun_, false);
  if (failed_ != nullptr) std::rethrow_exception(std::exchange(failed_, nullptr));
  if (!begun) return ranks_.sum(gradients);
  while (next_ < buckets_.size()) send(next_++);
  for (SumOnTheWay& sum : on_the_way_) sum.arrive();
  on_the_way_.clear();
}

}  // namespace nephron::host
