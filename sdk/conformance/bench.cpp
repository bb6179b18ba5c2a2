#include <conformance/bench.hpp>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <latch>
#include <mutex>

#include <dlfcn.h>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/abs.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/max.h>
#include <ATen/ops/nan_to_num.h>

#include <conformance/random_device_watch.hpp>

namespace nephron::conformance {

namespace {

class NoLog final : public Log {
 public:
  void write(Level, std::string_view) override {}
};

class FewThreads final : public ThreadPool {
 public:
  std::size_t threads() const noexcept override { return 2; }
  void parallel_for(std::size_t n, const std::function<void(std::size_t)>& body) override {
    std::atomic<std::size_t> next{0};
    on_threads(std::min<std::size_t>(n, 2), [&](std::size_t) {
      for (std::size_t i = next++; i < n; i = next++) body(i);
    });
  }
};

/// OpenCV's generator of this thread, when OpenCV is loaded: its state is its only member.
std::uint64_t opencv_state() {
  using TheRng = std::uint64_t& (*)();
  const auto the_rng = reinterpret_cast<TheRng>(::dlsym(RTLD_DEFAULT, "_ZN2cv6theRNGEv"));
  return the_rng != nullptr ? the_rng() : 0;
}

}  // namespace

std::shared_ptr<Component> Subject::make_component(Context& context) const {
  for (const FieldInfo& f : schema->fields())
    if (f.required && params.find(f.name) == nullptr) throw Skipped("needs --set " + f.name + "=... (" + f.doc + ")");
  std::shared_ptr<Component> made = create(params, context);
  expect(made != nullptr, "the component's factory gave no object");
  return made;
}

BenchContext::BenchContext(const Subject& subject, std::string device)
    : name_(subject.name),
      device_(std::move(device)),
      log_(std::make_unique<NoLog>()),
      threads_(std::make_unique<FewThreads>()) {}
BenchContext::~BenchContext() = default;

struct RandomWatch::State {
  bool torch_too;
  std::vector<char> libc = std::vector<char>(256), libc_before;
  char* libc_old = nullptr;
  unsigned short xsubi[3] = {1, 2, 3};
  at::Tensor torch_before;
  std::uint64_t opencv_before = opencv_state();
  std::uint64_t device_before = random_device_reads();

  static at::Tensor torch_state() { return at::detail::getDefaultCPUGenerator().get_state(); }
};

RandomWatch::RandomWatch(bool torch_too) : state_(std::make_unique<State>()) {
  State& s = *state_;
  s.torch_too = torch_too;
  s.libc_old = ::initstate(1, s.libc.data(), s.libc.size());
  s.libc_before = s.libc;
  ::seed48(s.xsubi);
  if (torch_too) s.torch_before = State::torch_state();
}

RandomWatch::~RandomWatch() { ::setstate(state_->libc_old); }

void RandomWatch::require_untouched() const {
  const State& s = *state_;
  constexpr const char* rule = "; random numbers come from the Rng that is handed in (SDK rule 5)";
  expect(s.libc == s.libc_before, [] { return std::string("rand(), random() or srand() was called") + rule; });
  unsigned short xsubi[3] = {s.xsubi[0], s.xsubi[1], s.xsubi[2]};
  const unsigned short* now = ::seed48(xsubi);  // gives the state that it replaces
  expect(std::equal(now, now + 3, s.xsubi),
         [] { return std::string("drand48() or one of its family was called") + rule; });
  expect(s.device_before == random_device_reads(), [] { return std::string("std::random_device was read") + rule; });
  expect(!s.torch_too || same(s.torch_before, State::torch_state()),
         [] { return std::string("LibTorch's global generator was drawn from") + rule; });
  expect(s.opencv_before == opencv_state(),
         [] { return std::string("OpenCV's global generator was drawn from") + rule; });
}

void on_threads(std::size_t n, const std::function<void(std::size_t)>& body) {
  std::exception_ptr first;
  std::mutex mutex;
  std::latch all_there(static_cast<std::ptrdiff_t>(n));
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < n; ++i)
    threads.emplace_back([&, i] {
      all_there.arrive_and_wait();
      try {
        body(i);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!first) first = std::current_exception();
      }
    });
  for (std::thread& t : threads) t.join();
  if (first) std::rethrow_exception(first);
}

void repeat(std::uint64_t most, double seconds, const std::function<void(std::uint64_t)>& body) {
  const auto seconds_of = [](clockid_t clock) {
    timespec now{};
    ::clock_gettime(clock, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
  };
  // What this thread computed, so that a busy machine looks as far; a component that waits is bounded too.
  const double computed = seconds_of(CLOCK_THREAD_CPUTIME_ID) + seconds,
               passed = seconds_of(CLOCK_MONOTONIC) + 5 * seconds;
  for (std::uint64_t i = 0; i < most; ++i) {
    if (seconds_of(CLOCK_THREAD_CPUTIME_ID) > computed || seconds_of(CLOCK_MONOTONIC) > passed) return;
    body(i);
  }
}

at::Tensor random_tensor(const std::vector<std::int64_t>& sizes, std::uint64_t seed, double low, double high) {
  at::Tensor out = at::empty(sizes, at::kFloat);
  Rng rng(seed, "check/tensor");
  float* p = out.mutable_data_ptr<float>();
  for (std::int64_t i = 0; i < out.numel(); ++i) p[i] = static_cast<float>(rng.uniform(low, high));
  return out;
}

Image random_image(Size size, int channels, std::uint64_t seed) {
  Image out(size, channels);
  Rng rng(seed, "check/image");
  for (std::int64_t y = 0; y < size.height; ++y) {
    auto* row = out.view().row<std::uint8_t>(y);
    for (std::int64_t x = 0; x < size.width * channels; ++x)
      row[x] = static_cast<std::uint8_t>((x * 3 + y * 5 + rng.integer(0, 63)) & 255);
  }
  return out;
}

bool same_pixels(const ImageView& a, const ImageView& b) {
  if (a.size() != b.size() || a.channels != b.channels || a.depth != b.depth) return false;
  const std::size_t row = static_cast<std::size_t>(a.width) * a.pixel_bytes();
  for (std::int64_t y = 0; y < a.height; ++y)
    if (std::memcmp(a.row<char>(y), b.row<char>(y), row) != 0) return false;
  return true;
}

bool same(const at::Tensor& a, const at::Tensor& b) {
  if (a.sizes() != b.sizes() || a.scalar_type() != b.scalar_type()) return false;
  return a.is_floating_point() ? at::equal(at::nan_to_num(a, 12345.0), at::nan_to_num(b, 12345.0)) : at::equal(a, b);
}

double relative_difference(const at::Tensor& a, const at::Tensor& b) {
  if (a.numel() == 0) return 0;
  const at::Tensor x = a.detach().to(at::kCPU, at::kDouble);
  const at::Tensor y = b.detach().to(at::kCPU, at::kDouble);
  const double most = std::max(x.abs().max().item<double>(), y.abs().max().item<double>());
  return (x - y).abs().max().item<double>() / std::max(most, 1e-12);
}

bool all_finite(const at::Tensor& t) { return t.numel() == 0 || t.isfinite().all().item<bool>(); }

std::string shape_text(const at::Tensor& t) {
  if (!t.defined()) return "an undefined tensor";
  std::string out = "[";
  for (std::int64_t i = 0; i < t.dim(); ++i) out += (i > 0 ? ", " : "") + std::to_string(t.size(i));
  return out + "] " + c10::toString(t.scalar_type());
}

}  // namespace nephron::conformance
