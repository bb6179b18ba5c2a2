#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>

#include <host/util/checked_json.hpp>

namespace nephron::host {

/// A file of JSON, an object a line, that this program wrote: `line` is handed each as it is read, so that a file of
/// any length takes the memory of one line. Errors name "FILE:LINE"; a torn line, one of over a mebibyte, and what
/// `line` refuses are errors.
void read_json_lines(const std::filesystem::path& file, const std::string& hint,
                     const std::function<void(const JsonNode& line, std::size_t number)>& line);

}  // namespace nephron::host
