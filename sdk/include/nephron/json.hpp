#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

#include <nephron/export.hpp>
#include <nephron/value.hpp>

namespace nephron {

/// JSON that anybody may have written. An object is a table, a list an array; a whole number beyond 64 bits is a real.
/// Refused with an Error that begins with `where` and names the byte: what is no JSON, more than `deepest` levels (deep
/// text was made to exhaust the stack), a number that no double holds, a key that stands twice in one object. Values
/// carry no source: a file of a million numbers would take as many.
NEPHRON_API Value parse_json(std::string_view text, std::string_view where, int deepest = 64);
/// The same of a file, which is read whole: a value takes about 70 bytes, whatever it was in the text.
NEPHRON_API Value read_json(const std::filesystem::path& file, std::uintmax_t most_bytes = std::uintmax_t{1} << 30,
                            int deepest = 64);

/// The member `key` of an object, of that type; Type::real takes whole numbers as well. Throws Error that begins with
/// `where` and says what is there instead: `a.json: "width" is text; expected a whole number`.
NEPHRON_API const Value& json_member(const Value& object, std::string_view key, Value::Type type,
                                     std::string_view where);
/// "a list", "a whole number": what JSON calls a type, for messages.
NEPHRON_API std::string_view json_name(Value::Type type) noexcept;

}  // namespace nephron
