#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include <host/queue/file_lock.hpp>
#include <host/util/descriptor.hpp>

// SPOOL/ (sticky, for everybody)
//   host.toml        what the machine is, where that is to be said
//   locks/           PartLocks
//   UID/             one a user, written by that user alone
namespace nephron::host {

/// A file or folder of another user is never trusted: it is opened without following links, must belong to that user,
/// must be a plain file with one name, and no larger than a ticket can be.
class UserFolder {
 public:
  static constexpr std::size_t most_bytes = 256 << 10;
  static constexpr std::size_t most_jobs = 10000;

  /// The folder of user `uid`. Throws Error where it is not what it should be.
  UserFolder(const std::filesystem::path& spool, uid_t uid);

  uid_t uid() const noexcept { return uid_; }
  const std::filesystem::path& path() const noexcept { return path_; }
  std::filesystem::path file(const std::string& name) const { return path_ / name; }
  /// Names of files that end so, most_jobs at most.
  std::vector<std::string> names(const std::string& ending) const;
  /// Nothing where there is no such file. Throws Error for one that cannot be trusted.
  std::optional<std::string> read(const std::string& name) const;
  /// Whether a process of the user holds the lock file `name`; false where there is none.
  bool held(const std::string& name) const;

 private:
  Descriptor open(const std::string& name, int flags) const;
  uid_t uid_;
  std::filesystem::path path_;
  Descriptor folder_;
};

class Spool {
 public:
  /// Makes the spool, its lock folder and this user's folder where they are missing. Throws Error that says what to do.
  explicit Spool(std::filesystem::path folder);

  const std::filesystem::path& folder() const noexcept { return folder_; }
  std::filesystem::path locks() const { return folder_ / "locks"; }
  std::filesystem::path own() const { return own_; }
  /// Folders of all users that can be trusted; what is wrong with the others is added to `problems`, a line each.
  std::vector<UserFolder> users(std::vector<std::string>& problems) const;
  /// Writes a file of this user, which others may read where `open_to_all`. Throws Error.
  void write(const std::string& name, const std::string& text, bool open_to_all = true) const;
  /// A lock file of this user. With `wait`: until it is free; else nothing where another holds it.
  std::optional<Descriptor> lock(const std::string& name, bool wait) const;
  bool has(const std::string& name) const;
  void remove(const std::string& name) const noexcept;

 private:
  std::filesystem::path folder_, own_;
};

/// Name of a user; the number of one whom the system does not know.
std::string user_named(uid_t uid);

}  // namespace nephron::host
