#include <host/replay/objects.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nephron/error.hpp>

#include <host/util/descriptor.hpp>
#include <host/util/file_range.hpp>
#include <host/util/files.hpp>
#include <host/util/log.hpp>
#include <host/util/partial_file.hpp>
#include <host/util/write_all.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

constexpr ::mode_t data = 0666, program = 0777, write_bits = 0222;
constexpr const char* lock_name = ".lock";

std::string reason() { return std::strerror(errno); }

Descriptor opened(const fs::path& file, int flags, ::mode_t mode = 0) {
  return Descriptor(::open(file.c_str(), flags | O_CLOEXEC, mode));
}

/// What is kept may not be changed; who may read it, the umask says as of any file.
bool make_read_only(int fd) {
  struct stat info = {};
  return ::fstat(fd, &info) == 0 && ::fchmod(fd, info.st_mode & 07777 & ~write_bits) == 0;
}

/// A new file with the bytes of another one, read-only. Throws Error that names both.
void copy(const fs::path& from, const fs::path& to, ::mode_t mode) {
  const Descriptor out = opened(to, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
  const auto fail = [&](const std::string& why) {
    throw Error("cannot copy " + from.string() + " to " + to.string() + ": " + why);
  };
  if (!out.good()) fail(reason());
  bool cloned = false;
  {
    const Descriptor in = opened(from, O_RDONLY);
    cloned = in.good() && ::ioctl(out.get(), FICLONE, in.get()) == 0;
  }
  if (!cloned)
    read_in_pieces(from, [&](const void* bytes, std::size_t size) {
      if (!write_all(out.get(), {static_cast<const char*>(bytes), size})) fail(reason());
    });
  if (!make_read_only(out.get())) fail(reason());
}

/// Folders of a store that several people use have the rights of the folder that it is in.
void make_folder(const fs::path& folder, const fs::path& like) {
  struct stat info = {};
  if (::mkdir(folder.c_str(), 0777) == 0) {
    if (::stat(like.c_str(), &info) == 0) ::chmod(folder.c_str(), info.st_mode & 07777);
    return;
  }
  const int why = errno;
  if (why != EEXIST) throw Error("cannot make the folder " + folder.string() + ": " + std::strerror(why));
  // A link would have others' files become ours to write and to remove.
  if (::lstat(folder.c_str(), &info) != 0 || !S_ISDIR(info.st_mode))
    throw Error(folder.string() + " is no folder", "Move away what lies there: nephron keeps its snapshots in it.");
}

/// `runs gc` leaves alone what was put lately.
void say_used(const fs::path& object, const struct stat& info) {
  if (info.st_uid == ::geteuid()) ::utimensat(AT_FDCWD, object.c_str(), nullptr, AT_SYMLINK_NOFOLLOW);
}

}  // namespace

bool is_sha256(std::string_view text) noexcept {
  return text.size() == 64 &&
         std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

ObjectStore::ObjectStore(const fs::path& root) : root_(root), folder_(root / ".objects") {}

fs::path ObjectStore::path(const ObjectName& name) const {
  if (!is_sha256(name.sha256)) throw Error("\"" + name.sha256 + "\" is no SHA-256");
  return folder_ / name.sha256.substr(0, 2) / name.sha256.substr(2);
}

bool ObjectStore::has(const ObjectName& name) const noexcept {
  struct stat info = {};
  return is_sha256(name.sha256) && ::lstat(path(name).c_str(), &info) == 0 && S_ISREG(info.st_mode) &&
         info.st_size == name.bytes;
}

/// Its size is not enough: what a disk has damaged would be found out when a run is to be started again, and no good
/// copy is left.
bool ObjectStore::is_kept(const ObjectName& name) const {
  const fs::path object = path(name);
  struct stat there = {};
  if (!has(name) || ::lstat(object.c_str(), &there) != 0) return false;
  if (::access(object.c_str(), R_OK) == 0 && sha256_of(object) != name.sha256) {
    log().warning(object.string() + " was damaged: its SHA-256 is another one; it is put again");
    return false;
  }
  say_used(object, there);
  return true;
}

ObjectName ObjectStore::put(const fs::path& file) {
  struct stat info = {};
  if (::stat(file.c_str(), &info) != 0) throw Error("cannot read " + file.string() + ": " + reason());
  if (!S_ISREG(info.st_mode)) throw Error(file.string() + " is no plain file, so it is not kept");
  const ObjectName name{sha256_of(file), info.st_size};
  const fs::path object = path(name);
  const bool runs = (info.st_mode & S_IXUSR) != 0;
  if (is_kept(name)) return name;
  make_folder(folder_, root_);
  make_folder(object.parent_path(), folder_);
  PartialFile partial(object);
  copy(file, partial.path(), runs ? program : data);
  // It may have been rebuilt between.
  if (sha256_of(partial.path()) != name.sha256)
    throw Error(file.string() + " changed while it was copied to " + folder_.string());
  partial.keep();
  return name;
}

ObjectName ObjectStore::put_text(std::string_view text) {
  const ObjectName name{sha256_of_text(text), static_cast<std::int64_t>(text.size())};
  const fs::path object = path(name);
  make_folder(folder_, root_);
  make_folder(object.parent_path(), folder_);
  if (is_kept(name)) return name;
  write_file_atomically(object, text);
  const Descriptor written = opened(object, O_RDONLY | O_NOFOLLOW);
  if (written.good()) make_read_only(written.get());
  return name;
}

std::string ObjectStore::text(const ObjectName& name, std::size_t most) const {
  const fs::path object = path(name);
  if (!has(name)) throw Error(object.string() + " is gone, or is not as long as it was");
  std::string out = read_file(object, most);
  if (sha256_of_text(out) != name.sha256) throw Error(object.string() + " is damaged: its SHA-256 is another one");
  return out;
}

void ObjectStore::lay_out(const ObjectName& name, const fs::path& to, bool executable) const {
  const fs::path object = path(name);
  const auto fail = [&](const std::string& why) {
    throw Error(to.filename().string() + " of the snapshot, " + object.string() + ", " + why);
  };
  struct stat info = {};
  if (::lstat(object.c_str(), &info) != 0) fail("is gone");
  if (!S_ISREG(info.st_mode) || info.st_size != name.bytes) fail("is damaged: it is not as long as it was");
  // What another user owns may change at any time: its copy is what counts.
  const bool right_mode = !executable || (info.st_mode & S_IXUSR) != 0;
  if (info.st_uid != ::geteuid() || !right_mode || ::link(object.c_str(), to.c_str()) != 0) {
    copy(object, to, executable ? program : data);
  }
  if (sha256_of(to) == name.sha256) return;
  ::unlink(to.c_str());
  fail("is damaged: its SHA-256 is another one");
}

ObjectsInUse::ObjectsInUse(const ObjectStore& store) {
  make_folder(store.folder(), store.folder().parent_path());
  const fs::path file = store.folder() / lock_name;
  fd_ = ::open(file.c_str(), O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
  if (fd_ < 0) throw Error("cannot write " + file.string() + ": " + reason());
  // A removal takes seconds; a disk that knows no locks says so at once.
  lock_range(fd_, file_range(F_RDLCK));
}

ObjectsInUse::~ObjectsInUse() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace nephron::host
