#pragma once

#include <filesystem>
#include <string>

#include <host/store/reduction.hpp>

namespace nephron::host {

/// Why a reduction has no record that could be read.
inline std::string why_no_record(const std::filesystem::path& file, Reduction reduction) {
  std::error_code failed;
  if (std::filesystem::exists(file, failed)) return file.filename().string() + " is damaged";
  return "reduction " + reduction.str() + " is missing";
}

}  // namespace nephron::host
