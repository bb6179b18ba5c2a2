#include <host/device/device.hpp>

#include <charconv>
#include <filesystem>

#include <ATen/detail/CUDAHooksInterface.h>

#include <nephron/error.hpp>

#include <host/cuda/load.hpp>
#include <host/util/usage_error.hpp>

namespace nephron::host {

bool cuda_available(std::string* why) { return cuda_kernels(why) != nullptr; }

c10::Device parse_device(const std::string& text) {
  if (text == "cpu") return c10::Device(c10::kCPU);
  // A look at the driver's files spares a machine without a GPU the loading of the CUDA libraries.
  if (text == "auto")
    return std::filesystem::exists("/dev/nvidiactl") && cuda_available() ? c10::Device(c10::kCUDA, 0)
                                                                         : c10::Device(c10::kCPU);
  int index = 0;
  bool good = text == "cuda";
  if (text.starts_with("cuda:")) {
    const char* const end = text.data() + text.size();
    const auto [stop, failed] = std::from_chars(text.data() + 5, end, index);
    good = failed == std::errc() && stop == end && index >= 0 && index < 128;
  }
  if (!good)
    throw UsageError("unknown device \"" + text +
                     "\": expected \"cpu\", \"cuda\", \"cuda:0\", \"cuda:1\", ... or \"auto\"");
  std::string why;
  if (!cuda_available(&why))
    throw Error("device \"" + text + "\" cannot be used: " + why,
                "nephron doctor says what is missing; --device cpu goes without it.");
  const int count = at::detail::getCUDAHooks().deviceCount();
  if (index >= count)
    throw Error("device \"" + text + "\" is not there: this machine has " + std::to_string(count) + " CUDA device" +
                (count == 1 ? "" : "s"));
  return c10::Device(c10::kCUDA, static_cast<c10::DeviceIndex>(index));
}

}  // namespace nephron::host
