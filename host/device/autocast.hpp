#pragma once

#include <optional>
#include <string>

#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

namespace nephron::host {

/// "fp32", "bf16", "fp16": the type that convolutions and matrix products run in; none for fp32. Throws Error for a
/// precision that the device has not.
std::optional<c10::ScalarType> autocast_type(const std::string& precision, c10::Device device);

/// Runs the operations of this thread in a lower precision while it lives, as torch.autocast.
class Autocast {
 public:
  Autocast(c10::Device device, std::optional<c10::ScalarType> type);
  ~Autocast();
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;

 private:
  c10::DeviceType device_;
  bool on_;
  bool was_on_ = false;
  c10::ScalarType was_type_ = c10::ScalarType::Float;
};

/// Weights that autocast converts on this thread are not kept for their next use while it lives.
class NoKeptWeights {
 public:
  NoKeptWeights();
  ~NoKeptWeights();
  NoKeptWeights(const NoKeptWeights&) = delete;
  NoKeptWeights& operator=(const NoKeptWeights&) = delete;

 private:
  bool kept_;
};

}  // namespace nephron::host
