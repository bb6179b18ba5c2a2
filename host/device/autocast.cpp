#include <host/device/autocast.hpp>

#include <ATen/autocast_mode.h>

#include <nephron/error.hpp>

#include <host/cuda/load.hpp>

namespace nephron::host {

std::optional<c10::ScalarType> autocast_type(const std::string& precision, c10::Device device) {
  if (precision == "fp32") return std::nullopt;
  if (precision == "bf16") {
    constexpr int first_with_bf16 = 80;
    if (device.is_cuda())
      if (const int capability = loaded_kernels().capability(device); capability < first_with_bf16)
        throw Error("precision \"bf16\" needs a CUDA device of compute capability 8.0; " + device.str() + " has " +
                        std::to_string(capability / 10) + "." + std::to_string(capability % 10),
                    "Use precision = \"fp16\" or \"fp32\" there.");
    return c10::ScalarType::BFloat16;
  }
  if (precision != "fp16")
    throw Error("unknown precision \"" + precision + "\": expected \"fp32\", \"bf16\" or \"fp16\"");
  if (!device.is_cuda())
    throw Error("precision \"fp16\" needs a CUDA device; this is " + device.str(),
                "Use precision = \"bf16\" or \"fp32\" on a CPU.");
  return c10::ScalarType::Half;
}

Autocast::Autocast(c10::Device device, std::optional<c10::ScalarType> type)
    : device_(device.type()), on_(type.has_value()) {
  if (!on_) return;
  was_on_ = at::autocast::is_autocast_enabled(device_);
  was_type_ = at::autocast::get_autocast_dtype(device_);
  at::autocast::set_autocast_enabled(device_, true);
  at::autocast::set_autocast_dtype(device_, *type);
  at::autocast::increment_nesting();
}

Autocast::~Autocast() {
  if (!on_) return;
  // The outermost one forgets the weights that it converted: the optimiser changes them before the next step.
  if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
  at::autocast::set_autocast_dtype(device_, was_type_);
  at::autocast::set_autocast_enabled(device_, was_on_);
}

NoKeptWeights::NoKeptWeights() : kept_(at::autocast::is_autocast_cache_enabled()) {
  at::autocast::set_autocast_cache_enabled(false);
}

NoKeptWeights::~NoKeptWeights() { at::autocast::set_autocast_cache_enabled(kept_); }

}  // namespace nephron::host
