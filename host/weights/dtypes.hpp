#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <c10/core/ScalarType.h>

namespace nephron::host {

/// The element types that weights files hold, by their names in safetensors ("F32") and in pickles ("FloatStorage").
std::optional<c10::ScalarType> dtype_of_safetensors(std::string_view name);
std::string safetensors_name(c10::ScalarType type);  ///< "" when there is none
std::optional<c10::ScalarType> dtype_of_storage(std::string_view name);

}  // namespace nephron::host
