#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

namespace nephron::host {

/// Tensors by name, in the order of the names.
using TensorMap = std::map<std::string, at::Tensor>;

/// .safetensors, zip .pth/.pt/.bin and legacy .pth; told apart by content. Executes nothing: pickles may only build
/// dictionaries, tuples, numbers, strings and tensors. Throws Error for anything else. `metadata`: of safetensors.
TensorMap read_tensors(const std::filesystem::path& file, std::map<std::string, std::string>* metadata = nullptr);
/// safetensors, atomically.
void write_tensors(const std::filesystem::path& file, const TensorMap& tensors,
                   const std::map<std::string, std::string>& metadata = {});

/// "64x3x7x7", or "scalar".
std::string shape_text(at::IntArrayRef shape);
/// Elements of a shape; -1 when a side is negative or the product leaves int64.
std::int64_t elements_of(const std::vector<std::int64_t>& shape) noexcept;

}  // namespace nephron::host
