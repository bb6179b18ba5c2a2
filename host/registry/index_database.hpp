#pragma once

#include <filesystem>

#include <host/registry/database.hpp>

namespace nephron::host {

/// Opens the index and makes its tables where there are none; any number of processes may do so at a time. Throws
/// DatabaseError; is_damage() tells whether removing the file helps.
void open_tables(Database& database, const std::filesystem::path& file);

/// The file is no index of this version, or is damaged.
bool is_damage(const DatabaseError& error);
/// Others are at work; later it may go.
bool is_busy(const DatabaseError& error);

/// A file's identity; 0 where there is none.
std::uint64_t identity_of(const std::filesystem::path& file);
/// Removes a damaged index, unless another process has put a new one there since it was `identity`.
void remove_index(const std::filesystem::path& file, std::uint64_t identity);

/// Held by whoever makes an index, or reads many runs into one: the others wait, and then find it done.
class IndexLock {
 public:
  /// A disk that knows no locks, or a folder that may not be written, is no reason not to go on.
  explicit IndexLock(const std::filesystem::path& index);
  ~IndexLock();
  IndexLock(const IndexLock&) = delete;
  IndexLock& operator=(const IndexLock&) = delete;

 private:
  int fd_ = -1;
};

}  // namespace nephron::host
