#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include <ATen/Context.h>
#include <c10/core/GradMode.h>
#include <torch/nn/module.h>

#include <host/cuda/recorder.hpp>

namespace nephron::host {

/// Gradients of a network, put aside.
inline std::vector<at::Tensor> taken_gradients(const torch::nn::Module& network) {
  std::vector<at::Tensor> out;
  for (at::Tensor& p : network.parameters()) out.push_back(std::exchange(p.mutable_grad(), at::Tensor()));
  return out;
}
inline void put_gradients(const torch::nn::Module& network, std::vector<at::Tensor> gradients) {
  std::size_t i = 0;
  for (at::Tensor& p : network.parameters()) p.mutable_grad() = std::move(gradients[i++]);
}

/// Records on a CPU as a GPU does: what is recorded is not done, and a replay writes the gradients of a network into
/// the memory that the recording gave them.
class FakeRecorder final : public WorkRecorder {
 public:
  explicit FakeRecorder(const torch::nn::Module& network) : network_(network) {}

  int recorded = 0, replayed = 0, beside_others = 0;
  std::function<void()> fails;  ///< in place of the next recording

  void beside(const std::function<void()>& work) override {
    ++beside_others;
    work();
  }

  std::unique_ptr<RecordedWork> record(const std::function<void()>& work) override {
    if (fails) fails();
    ++recorded;
    at::Generator generator = at::globalContext().defaultGenerator(c10::kCPU);
    const at::Tensor draws = generator.get_state();
    std::vector<std::pair<at::Tensor, at::Tensor>> buffers;
    for (const at::Tensor& own : network_.buffers()) buffers.emplace_back(own, own.clone());
    work();
    for (auto& [own, was] : buffers) own.copy_(was);
    generator.set_state(draws);
    std::vector<at::Tensor> gradients;
    for (const at::Tensor& p : network_.parameters()) gradients.push_back(p.grad());
    for (at::Tensor& g : gradients)
      if (g.defined()) g.zero_();  // nothing was computed
    return std::make_unique<Work>(*this, work, std::move(gradients));
  }

 private:
  struct Work final : RecordedWork {
    Work(FakeRecorder& by, std::function<void()> w, std::vector<at::Tensor> g)
        : recorder(by), work(std::move(w)), gradients(std::move(g)) {}
    void replay() override {
      ++recorder.replayed;
      std::vector<at::Tensor> others = taken_gradients(recorder.network_);
      {
        const c10::AutoGradMode grad(true);
        work();
      }
      const std::vector<at::Tensor> made = taken_gradients(recorder.network_);
      for (std::size_t i = 0; i < made.size(); ++i)
        if (made[i].defined()) gradients[i].copy_(made[i]);
      put_gradients(recorder.network_, std::move(others));
    }
    std::int64_t bytes() const override { return 0; }
    FakeRecorder& recorder;
    std::function<void()> work;
    std::vector<at::Tensor> gradients;
  };
  const torch::nn::Module& network_;
};

}  // namespace nephron::host
