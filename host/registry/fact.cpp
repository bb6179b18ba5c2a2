#include <host/registry/fact.hpp>

#include <charconv>

namespace nephron::host {

std::string text_of(const FactValue& value) {
  if (const auto* const text = std::get_if<std::string>(&value)) return *text;
  if (const auto* const whole = std::get_if<std::int64_t>(&value)) return std::to_string(*whole);
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, std::get<double>(value)).ptr;
  return {text, end};
}

std::optional<double> number_of(const FactValue& value) {
  if (const auto* const whole = std::get_if<std::int64_t>(&value)) return static_cast<double>(*whole);
  if (const auto* const real = std::get_if<double>(&value)) return *real;
  return std::nullopt;
}

}  // namespace nephron::host
