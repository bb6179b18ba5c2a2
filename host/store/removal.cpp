// Removes what the store wrote and nothing else: below the store every folder is opened without following links, and
// files are removed by name in the folder that is open, so that nothing that is moved meanwhile leads elsewhere.
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nephron/error.hpp>

#include <host/store/inventory.hpp>
#include <host/store/marker.hpp>
#include <host/util/files.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

[[noreturn]] void fail(const fs::path& what) {
  throw Error("cannot remove " + what.string() + ": " + std::strerror(errno));
}

/// An open folder.
class OpenFolder {
 public:
  explicit OpenFolder(const fs::path& path) : OpenFolder(AT_FDCWD, path, path, 0) {}
  /// The folder `name` in another; refuses links.
  OpenFolder(const OpenFolder& parent, const fs::path& name)
      : OpenFolder(parent.fd_, name, parent.path_ / name, O_NOFOLLOW) {}
  ~OpenFolder() { ::close(fd_); }
  OpenFolder(const OpenFolder&) = delete;
  OpenFolder& operator=(const OpenFolder&) = delete;

  std::vector<std::string> names() const {
    DIR* const stream = ::fdopendir(::dup(fd_));
    if (stream == nullptr) fail(path_);
    ::rewinddir(stream);
    std::vector<std::string> out;
    while (const dirent* const entry = ::readdir(stream))
      if (const std::string name = entry->d_name; name != "." && name != "..") out.push_back(name);
    ::closedir(stream);
    std::sort(out.begin(), out.end());
    return out;
  }
  bool is_regular(const std::string& name) const {
    struct stat info = {};
    return ::fstatat(fd_, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(info.st_mode);
  }
  void remove_file(const std::string& name) const {
    if (::unlinkat(fd_, name.c_str(), 0) != 0 && errno != ENOENT) fail(path_ / name);
  }
  /// False when it is not empty.
  bool remove_folder(const fs::path& name) const {
    if (::unlinkat(fd_, name.c_str(), AT_REMOVEDIR) == 0) return true;
    if (errno != ENOTEMPTY && errno != EEXIST) fail(path_ / name);
    return false;
  }
  /// Of a file in it, as this folder was opened.
  std::string content(const std::string& name) const {
    return read_file(fs::path("/proc/self/fd") / std::to_string(fd_) / name, std::size_t{1} << 24);
  }

 private:
  OpenFolder(int parent, const fs::path& name, fs::path path, int flags)
      : path_(std::move(path)), fd_(::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | flags)) {
    if (fd_ < 0) fail(path_);
  }

  fs::path path_;
  int fd_;
};

bool is_ours(const OpenFolder& slide, const std::string& name) { return is_store_file(name) && slide.is_regular(name); }

/// A folder of the store, opened from its store on without following links.
OpenFolder open_folder(const fs::path& path) {
  return {OpenFolder(OpenFolder(path.parent_path().parent_path()), path.parent_path().filename()), path.filename()};
}

/// The records of a folder that are ours. Throws Error when there is none: nothing shows then that it is ours.
std::vector<std::string> records_of(const OpenFolder& folder, const fs::path& path) {
  std::vector<std::string> out;
  for (const std::string& name : folder.names())
    if (is_record_file(name) && folder.is_regular(name) && is_sound_record(path / name, folder.content(name)))
      out.push_back(name);
  if (out.empty()) throw Error(path.string() + " has no record of nephron and is left as it is");
  return out;
}

}  // namespace

std::vector<std::string> foreign_in(const StoreFolder& folder) {
  const OpenFolder open = open_folder(folder.path());
  std::vector<std::string> out;
  for (const std::string& name : open.names())
    if (!is_ours(open, name)) out.push_back((folder.path() / name).string());
  return out;
}

std::vector<std::string> remove_folder(const StoreFolder& folder) {
  const fs::path& path = folder.path();
  const OpenFolder store(path.parent_path().parent_path());
  const OpenFolder part(store, path.parent_path().filename());
  {
    const OpenFolder open(part, path.filename());
    records_of(open, path);
    const StoreLock lock(folder, StoreLock::For::writing);
    for (const std::string& name : records_of(open, path))
      open.remove_file(name);  // first: without them nobody takes the rest for whole
    std::vector<std::string> left;
    for (const std::string& name : open.names()) {
      if (is_ours(open, name)) open.remove_file(name);
      else left.push_back((path / name).string());
    }
    if (!left.empty()) return left;
  }
  if (part.remove_folder(path.filename())) store.remove_folder(path.parent_path().filename());
  return {};
}

void remove_reduction(const StoreFolder& folder, Reduction reduction) {
  const OpenFolder open = open_folder(folder.path());
  const StoreLock lock(folder, StoreLock::For::writing);
  const std::string r = reduction.str();
  for (const std::string& name : {"picture-" + r + ".json", "labels-" + r + ".json", "picture-" + r + ".tiff",
                                  "labels-" + r + ".tiff", "tissue-" + r + ".png"})
    if (open.is_regular(name)) open.remove_file(name);
}

}  // namespace nephron::host
