#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include <host/store/mapped_tiff.hpp>

namespace nephron::host {

/// Reads the directories of a TIFF that TiffWriter wrote, checking every number against the bytes at hand. Throws Error
/// that names `file`.
std::vector<MappedTiff::Picture> read_directories(std::span<const std::uint8_t> bytes,
                                                  const std::filesystem::path& file);

}  // namespace nephron::host
