#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include <sys/types.h>

namespace nephron::host {

/// A file of an object store by what it holds.
struct ObjectName {
  std::string sha256;  ///< 64 digits, lower case
  std::int64_t bytes = 0;
  bool operator==(const ObjectName&) const = default;
};

/// Whether a text is a SHA-256 as ObjectName has it: what comes from a file may be a path in disguise.
bool is_sha256(std::string_view text) noexcept;

/// Files by their SHA-256, each once, for all runs of a folder of runs: ROOT/.objects/ab/cdef..., read-only. What lies
/// there is never trusted: its digest is computed whenever it is used. Several processes may put the same at a time.
class ObjectStore {
 public:
  /// `root`: the folder of runs. Makes nothing: put() does.
  explicit ObjectStore(const std::filesystem::path& root);
  const std::filesystem::path& folder() const noexcept { return folder_; }
  std::filesystem::path path(const ObjectName& name) const;

  /// Keeps a copy: one that shares its blocks where the disk knows that. Never a link, since a file that is written
  /// over would change what is kept. Throws Error.
  ObjectName put(const std::filesystem::path& file);
  ObjectName put_text(std::string_view text);
  /// Whether it is there and as long as it should be; its digest is not computed.
  bool has(const ObjectName& name) const noexcept;
  /// Its content. Throws Error where it is gone, is another one by its digest, or has more than `most` bytes.
  std::string text(const ObjectName& name, std::size_t most) const;
  /// Lays it out as `to`, which must not exist, after its digest was found right: a link where it is this user's and on
  /// this disk, else a copy. Throws Error, which names `to`, where it is gone or damaged.
  void lay_out(const ObjectName& name, const std::filesystem::path& to, bool executable) const;

 private:
  bool is_kept(const ObjectName& name) const;  ///< with its digest; says what is damaged
  std::filesystem::path root_, folder_;
};

/// Held from the first put() until what names the objects is written, so that none is removed between. Any number of
/// processes may hold it; a disk that knows no locks is no reason not to go on.
class ObjectsInUse {
 public:
  /// Throws Error when the store's folder cannot be made or written.
  explicit ObjectsInUse(const ObjectStore& store);
  ~ObjectsInUse();
  ObjectsInUse(const ObjectsInUse&) = delete;
  ObjectsInUse& operator=(const ObjectsInUse&) = delete;

 private:
  int fd_ = -1;
};

}  // namespace nephron::host
