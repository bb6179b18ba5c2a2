#include <host/queue/spool.hpp>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <map>

#include <dirent.h>
#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nephron/error.hpp>

#include <host/util/partial_file.hpp>
#include <host/util/write_all.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

std::string reason() { return std::strerror(errno); }

std::vector<std::string> names_in(int folder, std::size_t most) {
  std::vector<std::string> out;
  const int copy = ::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* const list = copy >= 0 ? ::fdopendir(copy) : nullptr;
  if (list == nullptr) {
    if (copy >= 0) ::close(copy);
    return out;
  }
  while (const dirent* const entry = ::readdir(list))
    if (out.size() < most && entry->d_name[0] != '.') out.emplace_back(entry->d_name);
  ::closedir(list);
  std::sort(out.begin(), out.end());
  return out;
}

std::optional<uid_t> uid_named(const std::string& name) {
  uid_t out = 0;
  const auto [end, failed] = std::from_chars(name.data(), name.data() + name.size(), out);
  const bool whole = failed == std::errc() && end == name.data() + name.size();
  return whole && std::to_string(out) == name ? std::optional(out) : std::nullopt;
}

/// A folder that everybody may write into, and nobody but its owner remove others' files from.
void make_shared(const fs::path& folder) {
  if (::mkdir(folder.c_str(), 0700) == 0) {
    if (::chmod(folder.c_str(), 01777) != 0) throw Error("cannot make " + folder.string() + " writable: " + reason());
    return;
  }
  if (errno != EEXIST)
    throw Error("cannot make the queue's spool " + folder.string() + ": " + reason(),
                "Make it once for everybody (sudo install -d -m 1777 " + folder.string() +
                    "), or name another folder with NEPHRON_SPOOL.");
  struct stat info = {};
  if (::lstat(folder.c_str(), &info) != 0 || !S_ISDIR(info.st_mode))
    throw Error(folder.string() + " is no folder", "NEPHRON_SPOOL names another one.");
  if ((info.st_mode & S_IWOTH) != 0 && (info.st_mode & S_ISVTX) == 0)
    throw Error("everybody may remove the files of others in " + folder.string(),
                "Its owner mends that: chmod +t " + folder.string());
}

Descriptor open_lock(const fs::path& file, mode_t mode) {
  Descriptor out(::open(file.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, mode));
  if (!out.good())
    throw Error("cannot write " + file.string() + ": " + reason(),
                "The spool needs room, and its disk must be writable; jobs that run go on meanwhile.");
  ::fchmod(out.get(), mode);  // whatever the umask, and whoever made it
  return out;
}

}  // namespace

std::string user_named(uid_t uid) {
  static std::map<uid_t, std::string> known;
  const auto [entry, fresh] = known.try_emplace(uid, std::to_string(uid));
  if (!fresh) return entry->second;
  char buffer[4096];
  passwd record = {}, *found = nullptr;
  if (::getpwuid_r(uid, &record, buffer, sizeof buffer, &found) == 0 && found != nullptr)
    entry->second = found->pw_name;
  return entry->second;
}

UserFolder::UserFolder(const fs::path& spool, uid_t uid)
    : uid_(uid),
      path_(spool / std::to_string(uid)),
      folder_(::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) {
  if (!folder_.good()) throw Error("cannot open " + path_.string() + ": " + reason());
  struct stat info = {};
  if (::fstat(folder_.get(), &info) != 0) throw Error("cannot open " + path_.string() + ": " + reason());
  if (info.st_uid != uid)
    throw Error(path_.string() + " belongs to " + user_named(info.st_uid) + ", not to " + user_named(uid));
  if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0) throw Error("others than its owner may write into " + path_.string());
}

std::vector<std::string> UserFolder::names(const std::string& ending) const {
  std::vector<std::string> out = names_in(folder_.get(), 8 * most_jobs);
  std::erase_if(out, [&](const std::string& name) { return !name.ends_with(ending); });
  if (out.size() > most_jobs) out.resize(most_jobs);
  return out;
}

Descriptor UserFolder::open(const std::string& name, int flags) const {
  return Descriptor(::openat(folder_.get(), name.c_str(), flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
}

std::optional<std::string> UserFolder::read(const std::string& name) const {
  const std::string file = (path_ / name).string();
  const Descriptor fd = open(name, O_RDONLY);
  if (!fd.good() && errno == ENOENT) return std::nullopt;
  if (!fd.good() && errno == ELOOP) throw Error(file + " is a link; links are not followed here");
  if (!fd.good()) throw Error("cannot read " + file + ": " + reason());
  struct stat info = {};
  if (::fstat(fd.get(), &info) != 0) throw Error("cannot read " + file + ": " + reason());
  if (!S_ISREG(info.st_mode)) throw Error(file + " is no plain file");
  if (info.st_uid != uid_)
    throw Error(file + " belongs to " + user_named(info.st_uid) + ", not to " + user_named(uid_));
  if (info.st_nlink > 1) throw Error(file + " has " + std::to_string(info.st_nlink) + " names; one was expected");
  if (info.st_size > static_cast<off_t>(most_bytes))
    throw Error(file + " has " + std::to_string(info.st_size) + " bytes; a file of the queue has " +
                std::to_string(most_bytes) + " at most");
  std::string out(most_bytes + 1, '\0');
  std::size_t size = 0;
  while (size < out.size()) {
    const ssize_t n = ::read(fd.get(), out.data() + size, out.size() - size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw Error("cannot read " + file + ": " + reason());
    if (n == 0) break;
    size += static_cast<std::size_t>(n);
  }
  out.resize(std::min(size, most_bytes));
  return out;
}

bool UserFolder::held(const std::string& name) const {
  const Descriptor fd = open(name, O_RDONLY);
  struct stat info = {};
  return fd.good() && ::fstat(fd.get(), &info) == 0 && S_ISREG(info.st_mode) && info.st_uid == uid_ &&
         held_for_writing(fd.get());
}

Spool::Spool(fs::path folder) : folder_(std::move(folder)), own_(folder_ / std::to_string(::geteuid())) {
  std::error_code ignored;
  fs::create_directories(folder_.parent_path(), ignored);
  make_shared(folder_);
  make_shared(locks());
  if (::mkdir(own_.c_str(), 0755) != 0 && errno != EEXIST)
    throw Error("cannot make " + own_.string() + ": " + reason(),
                "Your jobs are kept there. The spool must have room and be writable for everybody: chmod 1777 " +
                    folder_.string());
  const UserFolder check(folder_, ::geteuid());  // throws for one that somebody else made
  ::chmod(own_.c_str(), 0755);                   // whatever the umask
}

std::vector<UserFolder> Spool::users(std::vector<std::string>& problems) const {
  std::vector<UserFolder> out;
  const Descriptor all(::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  for (const std::string& name : names_in(all.get(), 100000)) {
    const auto uid = uid_named(name);
    if (!uid) continue;
    try {
      out.emplace_back(folder_, *uid);
    } catch (const Error& e) {
      problems.push_back(std::string(e.what()) + "; nothing in it counts");
    }
  }
  return out;
}

void Spool::write(const std::string& name, const std::string& text, bool open_to_all) const {
  const fs::path file = own_ / name, partial = partial_name(own_ / ("." + name));
  const auto give_up = [&](const std::string& why) {
    ::unlink(partial.c_str());
    throw Error("cannot write " + file.string() + ": " + why,
                "The spool needs room, and its disk must be writable; jobs that run go on meanwhile.");
  };
  const Descriptor out(
      ::open(partial.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, open_to_all ? 0644 : 0600));
  if (!out.good()) give_up(reason());
  ::fchmod(out.get(), open_to_all ? 0644 : 0600);
  if (!write_all(out.get(), text)) give_up(reason());
  if (::fdatasync(out.get()) != 0) give_up(reason());
  if (::rename(partial.c_str(), file.c_str()) != 0) give_up(reason());
}

std::optional<Descriptor> Spool::lock(const std::string& name, bool wait) const {
  const fs::path file = own_ / name;
  // Those that are waited for are nobody else's, who could keep us waiting.
  if (wait) {
    Descriptor fd = open_lock(file, 0600);
    lock_and_wait(fd.get());
    return fd;
  }
  // Others ask whether it is held. Whoever may ask can also lock it, for reading, and so keep us from it for ever: then
  // another file takes its place, which no two processes may do at a time.
  const std::optional<Descriptor> alone = lock(".locking", true);
  Descriptor fd = open_lock(file, 0644);
  if (lock_bytes(fd.get())) return fd;
  if (held_for_writing(fd.get())) return std::nullopt;
  ::unlink(file.c_str());
  fd = open_lock(file, 0644);
  return lock_bytes(fd.get()) ? std::optional(std::move(fd)) : std::nullopt;
}

bool Spool::has(const std::string& name) const {
  struct stat info = {};
  return ::lstat((own_ / name).c_str(), &info) == 0;
}

void Spool::remove(const std::string& name) const noexcept { ::unlink((own_ / name).c_str()); }

}  // namespace nephron::host
