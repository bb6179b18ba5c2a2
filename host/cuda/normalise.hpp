#pragma once

#include <array>
#include <cstdint>

#include <host/cuda/host_device.hpp>

// The body of the kernels, for one element: a loop runs it on the CPU, a thin kernel on the GPU, so that tests on the
// CPU prove the code that the GPU runs. Subtracting first and multiplying then leaves nothing to contract into a fused
// multiply-add: both give the same bits.

namespace nephron::host {

/// Bytes RGB to normalised floats: (v - 255 mean) / (255 deviation).
struct Normalise {
  float mean[3] = {0, 0, 0};     ///< of bytes
  float inverse[3] = {1, 1, 1};  ///< 1 / deviation of bytes

  static Normalise of(const std::array<double, 3>& mean, const std::array<double, 3>& deviation) noexcept {
    Normalise out;
    for (std::size_t c = 0; c < 3; ++c) {
      out.mean[c] = static_cast<float>(255 * mean[c]);
      out.inverse[c] = static_cast<float>(1 / (255 * deviation[c]));
    }
    return out;
  }

  /// Pixel `i` of interleaved RGB.
  NEPHRON_HOST_DEVICE void operator()(const std::uint8_t* in, float* out, std::int64_t i) const {
    for (int c = 0; c < 3; ++c) out[3 * i + c] = (static_cast<float>(in[3 * i + c]) - mean[c]) * inverse[c];
  }
};

/// Target bytes 0..255 to floats 0..1; 255 is exactly 1.
struct Targets {
  NEPHRON_HOST_DEVICE void operator()(const std::uint8_t* in, float* out, std::int64_t i) const {
    out[i] = static_cast<float>(in[i]) / 255.0f;
  }
};

}  // namespace nephron::host
