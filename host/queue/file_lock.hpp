#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include <host/queue/parts.hpp>
#include <host/util/descriptor.hpp>

// Locks of open file descriptions: they pass to whoever inherits the descriptor, end with the last process that holds
// it, however that ends, and can be asked for without being taken.
namespace nephron::host {

/// Bytes [from, from + count) of an open file; count 0: all. False where another holds some of them.
bool lock_bytes(int fd, std::int64_t from = 0, std::int64_t count = 0);
/// Waits for it.
void lock_and_wait(int fd);
bool bytes_held(int fd, std::int64_t from = 0, std::int64_t count = 0);
/// Of a file that others may only read: whether its owner holds some of it. They can lock it for reading, which does
/// not count.
bool held_for_writing(int fd);

/// SPOOL/locks: gpu-K has a byte for each sixteenth of GPU K, cores one for each core. Files that everybody may lock.
///
/// One file a GPU rather than sixteen: a job that has eight GPUs and 64 cores is handed nine descriptors, not 192, and
/// `lslocks` shows which sixteenths a process holds.
class PartLocks {
 public:
  /// Makes files that are missing. Throws Error.
  PartLocks(const std::filesystem::path& folder, const Machine& machine);

  /// Parts that somebody holds.
  Parts held() const;
  /// All of `parts`, or nothing where one is held. The descriptors hold them; they survive exec where the flag is taken
  /// off (keep_over_exec).
  std::optional<std::vector<Descriptor>> take(const Parts& parts) const;

 private:
  std::filesystem::path file(std::size_t gpu) const;  ///< of the cores: gpus of the machine
  std::filesystem::path folder_;
  Machine machine_;
};

/// A descriptor above those that programs use for themselves, which programs that are started inherit.
Descriptor keep_over_exec(Descriptor fd);

}  // namespace nephron::host
