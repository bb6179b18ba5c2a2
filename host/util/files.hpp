#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace nephron::host {

/// Whole file as bytes. Throws Error that names the file; refuses more than `most` bytes, and all but plain files.
std::string read_file(const std::filesystem::path& file, std::size_t most = std::size_t{1} << 32);
/// Calls piece(bytes, size) for a whole file in order, half a megabyte at a time. Throws Error that names the file.
void read_in_pieces(const std::filesystem::path& file, const std::function<void(const void*, std::size_t)>& piece);
/// Writes to a temporary name in the same folder, syncs, renames. Throws Error; leaves nothing half-written.
void write_file_atomically(const std::filesystem::path& file, std::string_view bytes);
/// Throws Error when `folder` cannot be made or written, or has less than `need` bytes free.
void require_writable(const std::filesystem::path& folder, std::size_t need);
/// Hex SHA-256 of a file.
std::string sha256_of(const std::filesystem::path& file);
std::string sha256_of_text(std::string_view text);

}  // namespace nephron::host
