// Where the user's index lies.
#include <cstdlib>

#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <host/plugins/search.hpp>
#include <host/registry/run_index.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

/// SQLite's WAL needs memory that all processes share: files of a network are no place for it.
bool is_of_this_machine(const fs::path& folder) {
  struct statfs info = {};
  if (::statfs(folder.c_str(), &info) != 0) return false;
  switch (static_cast<unsigned long>(info.f_type)) {
    case 0x6969:      // NFS
    case 0x517b:      // SMB
    case 0xff534d42:  // CIFS
    case 0xfe534d42:  // SMB2
    case 0x00c36400:  // Ceph
    case 0x0bd00bd0:  // Lustre
    case 0x47504653:  // GPFS
    case 0x19830326:  // BeeGFS
    case 0x01021997:  // 9P
    case 0x65735546:  // FUSE: sshfs and the like
    case 0x5346414f:  // AFS
      return false;
    default:
      return true;
  }
}

/// A folder of the user's own, where nobody else may put anything.
bool make_own(const fs::path& folder) {
  ::mkdir(folder.c_str(), 0700);
  struct stat info = {};
  return ::lstat(folder.c_str(), &info) == 0 && S_ISDIR(info.st_mode) && info.st_uid == ::getuid() &&
         (info.st_mode & 077) == 0;
}

}  // namespace

fs::path index_file() {
  constexpr const char* name = "runs.sqlite";
  const fs::path cache = user_cache_folder();
  std::error_code failed;
  if (!cache.empty()) fs::create_directories(cache, failed);
  if (!cache.empty() && !failed && is_of_this_machine(cache)) return cache / name;
  const fs::path here = "/var/tmp/nephron-" + std::to_string(::getuid());
  if (make_own(here)) return here / name;
  return cache.empty() ? fs::path() : cache / name;
}

}  // namespace nephron::host
