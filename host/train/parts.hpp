#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>

namespace nephron::host {

/// A network's parameters by name, in the order in which they are registered.
using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;

/// Whether a pattern names a parameter, or a module that holds it: "encoder", "encoder.layer?", "*.bias". `*` stands
/// for any text, dots too, `?` for one character.
bool names_part(std::string_view pattern, std::string_view parameter);

/// For each parameter, whether the pattern names it. Throws Error that lists names near to it when there is none.
std::vector<bool> part_of(const NamedTensors& parameters, const std::string& pattern);

/// "21.3 M", "640": how many values tensors have together.
std::string count_text(std::int64_t values);

}  // namespace nephron::host
