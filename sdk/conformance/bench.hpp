#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include <ATen/core/Tensor.h>
#include <nephron/context.hpp>
#include <nephron/error.hpp>
#include <nephron/image.hpp>

#include <conformance/conformance.hpp>

// What several checks need.
namespace nephron::conformance {

/// Throws Failed(message()) unless `kept`. The message is only made when it is needed.
template <class Message>
void expect(bool kept, Message&& message) {
  if (kept) return;
  if constexpr (std::is_invocable_v<Message>) throw Failed(message());
  else throw Failed(std::forward<Message>(message));
}

/// A context of a run that does nothing else: logs and metrics go nowhere.
class BenchContext final : public Context {
 public:
  explicit BenchContext(const Subject& subject, std::string device = "cpu");
  ~BenchContext() override;
  std::string_view component() const noexcept override { return name_; }
  Log& log() override { return *log_; }
  Rng rng(std::string_view purpose) const override { return Rng(7, "check/" + std::string(purpose)); }
  std::string_view device() const noexcept override { return device_; }
  ThreadPool& threads() override { return *threads_; }
  bool cancelled() const noexcept override { return false; }
  void metric(std::string_view, double) override {}
  SlideOpener& slides() override { throw Error("slide files cannot be opened in a check"); }

 private:
  std::string name_;
  std::string device_;
  std::unique_ptr<Log> log_;
  std::unique_ptr<ThreadPool> threads_;
};

/// Notices whether random numbers were drawn from anywhere but an Rng: rand() and random(), drand48(), LibTorch's and
/// OpenCV's own generators, whose states it compares, and std::random_device, whose reads are counted.
class RandomWatch {
 public:
  /// Modules may draw from LibTorch's generator, which the host seeds, while they are built and trained.
  explicit RandomWatch(bool torch_too = true);
  ~RandomWatch();
  RandomWatch(const RandomWatch&) = delete;
  RandomWatch& operator=(const RandomWatch&) = delete;
  /// Throws Failed that names the generator and cites SDK rule 5.
  void require_untouched() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Runs body(i) for i in [0, n), each on a thread of its own, all at once; throws the first exception again.
void on_threads(std::size_t n, const std::function<void(std::size_t)>& body);

/// Calls body(i) for i in [0, most), or until that took `seconds` of computing: for what shows late, where calls may be
/// slow.
void repeat(std::uint64_t most, double seconds, const std::function<void(std::uint64_t)>& body);

/// Float tensor with values in [low, high), a function of `seed`.
at::Tensor random_tensor(const std::vector<std::int64_t>& sizes, std::uint64_t seed, double low = -1, double high = 1);
/// Pixels of a smooth pattern with noise, a function of `seed`.
Image random_image(Size size, int channels, std::uint64_t seed);
bool same_pixels(const ImageView& a, const ImageView& b);

/// Values are equal, NaN included.
bool same(const at::Tensor& a, const at::Tensor& b);
/// Largest absolute difference divided by the largest absolute value (at least 1e-12).
double relative_difference(const at::Tensor& a, const at::Tensor& b);
bool all_finite(const at::Tensor& t);
/// "[2, 3, 8, 8] Float"
std::string shape_text(const at::Tensor& t);

}  // namespace nephron::conformance
