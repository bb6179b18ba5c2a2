#pragma once

#include <string>

#include <c10/core/Device.h>

namespace nephron::host {

/// True when nephron can compute on a CUDA device. Loads LibTorch's CUDA part (seconds, the first time); otherwise
/// `why`, when not null, says what is missing.
bool cuda_available(std::string* why = nullptr);

/// "cpu", "cuda" (the first), "cuda:1"; "auto": a CUDA device where the machine has one, otherwise the CPU. Throws
/// Error for anything else, and for a device that is not there.
c10::Device parse_device(const std::string& text);

}  // namespace nephron::host
