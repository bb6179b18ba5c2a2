#pragma once

#include <filesystem>
#include <fstream>
#include <string>

namespace nephron {

/// A file with this content. It is made anew: some file systems write a file that is cut to nothing and filled again
/// to the disk at once, which thousands of times takes minutes.
inline void put_file(const std::filesystem::path& file, const std::string& bytes) {
  std::filesystem::remove(file);
  std::ofstream(file, std::ios::binary) << bytes;
}

}  // namespace nephron
