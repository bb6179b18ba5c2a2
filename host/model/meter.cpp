#include <host/model/meter.hpp>

#include <algorithm>
#include <memory>
#include <string_view>

#include <ATen/record_function.h>
#include <c10/core/Allocator.h>
#include <c10/util/ThreadLocalDebugInfo.h>

namespace nephron::host {

namespace {

thread_local std::int64_t multiply_adds = 0;

std::int64_t side(const c10::IValue& list, std::size_t i) {
  const auto values = list.toIntVector();
  return values.empty() ? 0 : values[std::min(i, values.size() - 1)];
}

/// aten::convolution(input, weight, bias, stride, padding, dilation, transposed, output_padding, groups)
std::int64_t of_convolution(c10::ArrayRef<const c10::IValue> in) {
  const at::Tensor& input = in[0].toTensor();
  const at::Tensor& weight = in[1].toTensor();
  std::int64_t pixels = input.size(0);
  for (std::int64_t d = 2; d < input.dim(); ++d) {
    const auto i = static_cast<std::size_t>(d - 2);
    const std::int64_t reach = side(in[5], i) * (weight.size(d) - 1);
    const std::int64_t out = (input.size(d) + 2 * side(in[4], i) - reach - 1) / side(in[3], i) + 1;
    pixels *= in[6].toBool() ? input.size(d) : out;
  }
  return pixels * weight.numel();
}

std::unique_ptr<at::ObserverContext> on_call(const at::RecordFunction& function) {
  const std::string_view name = function.name();
  const auto in = function.inputs();
  if (name == "aten::convolution" && in.size() >= 7) multiply_adds += of_convolution(in);
  if ((name == "aten::mm" || name == "aten::bmm") && in.size() >= 2)
    multiply_adds += in[0].toTensor().numel() * in[1].toTensor().size(-1);
  if (name == "aten::addmm" && in.size() >= 3) multiply_adds += in[1].toTensor().numel() * in[2].toTensor().size(-1);
  return nullptr;
}

class Memory final : public c10::MemoryReportingInfoBase {
 public:
  void reportMemoryUsage(void*, std::int64_t change, std::size_t, std::size_t, c10::Device device) override {
    if (!device.is_cpu()) return;
    now_ += change;
    peak_ = std::max(peak_, now_);
  }
  bool memoryProfilingEnabled() const override { return true; }
  std::int64_t now() const { return now_; }
  std::int64_t peak() const { return peak_; }

 private:
  std::int64_t now_ = 0;
  std::int64_t peak_ = 0;
};

/// Watches the operations of this thread while it lives.
class Watch {
 public:
  Watch()
      : handle_(at::addThreadLocalCallback(
            at::RecordFunctionCallback(&on_call).needsInputs(true).scopes({at::RecordScope::FUNCTION}))) {}
  ~Watch() { at::removeCallback(handle_); }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

 private:
  at::CallbackHandle handle_;
};

}  // namespace

Measured measure(const std::function<void()>& work) {
  const auto memory = std::make_shared<Memory>();
  multiply_adds = 0;
  {
    const c10::DebugInfoGuard guard(c10::DebugInfoKind::PROFILER_STATE, memory);
    const Watch watch;
    work();
  }
  return {multiply_adds, memory->now(), memory->peak()};
}

}  // namespace nephron::host
