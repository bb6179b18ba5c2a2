#include <host/weights/dtypes.hpp>

#include <array>

namespace nephron::host {

namespace {

struct Row {
  std::string_view safetensors;
  std::string_view storage;
  c10::ScalarType type;
};

constexpr std::array rows{
    Row{"F64", "DoubleStorage", c10::ScalarType::Double}, Row{"F32", "FloatStorage", c10::ScalarType::Float},
    Row{"F16", "HalfStorage", c10::ScalarType::Half},     Row{"BF16", "BFloat16Storage", c10::ScalarType::BFloat16},
    Row{"I64", "LongStorage", c10::ScalarType::Long},     Row{"I32", "IntStorage", c10::ScalarType::Int},
    Row{"I16", "ShortStorage", c10::ScalarType::Short},   Row{"I8", "CharStorage", c10::ScalarType::Char},
    Row{"U8", "ByteStorage", c10::ScalarType::Byte},      Row{"BOOL", "BoolStorage", c10::ScalarType::Bool},
};

}  // namespace

std::optional<c10::ScalarType> dtype_of_safetensors(std::string_view name) {
  for (const Row& row : rows)
    if (row.safetensors == name) return row.type;
  return std::nullopt;
}

std::string safetensors_name(c10::ScalarType type) {
  for (const Row& row : rows)
    if (row.type == type) return std::string(row.safetensors);
  return "";
}

std::optional<c10::ScalarType> dtype_of_storage(std::string_view name) {
  for (const Row& row : rows)
    if (row.storage == name) return row.type;
  return std::nullopt;
}

}  // namespace nephron::host
