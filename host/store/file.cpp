#include <host/store/file.hpp>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nephron/error.hpp>

#include <host/util/mapped_places.hpp>

namespace nephron::host {

std::int64_t mtime_of(const struct stat& info) {
  return info.st_mtim.tv_sec * std::int64_t{1000000000} + info.st_mtim.tv_nsec;
}

OutputFile::OutputFile(const std::filesystem::path& path)
    : path_(path), fd_(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)) {
  if (fd_ < 0) fail("make");
}

OutputFile::~OutputFile() {
  if (fd_ >= 0) ::close(fd_);
}

void OutputFile::fail(const char* doing) const {
  const int why = errno;
  throw Error("cannot " + std::string(doing) + " " + path_.string() + ": " + std::strerror(why),
              why == ENOSPC || why == EDQUOT ? "make room on that disk, then run the same command again" : "");
}

void OutputFile::write_at(std::int64_t offset, const void* bytes, std::size_t size) const {
  const auto* from = static_cast<const std::uint8_t*>(bytes);
  while (size > 0) {
    const ssize_t n = ::pwrite(fd_, from, size, offset);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) fail("write");
    from += n, offset += n, size -= static_cast<std::size_t>(n);
  }
}

void OutputFile::start_writing(std::int64_t offset, std::size_t size) const noexcept {
  // A disk that cannot do it is written when the file is closed.
  ::sync_file_range(fd_, offset, static_cast<off64_t>(size), SYNC_FILE_RANGE_WRITE);
}

void OutputFile::close(bool sync) {
  const bool synced = !sync || ::fdatasync(fd_) == 0 || errno == EINVAL || errno == ENOTSUP;
  if (!synced) fail("write");
  const int fd = fd_;
  fd_ = -1;
  if (::close(fd) != 0) fail("write");
}

MappedFile::MappedFile(const std::filesystem::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat info = {};
  const bool good = fd >= 0 && ::fstat(fd, &info) == 0;
  const char* why = good ? S_ISREG(info.st_mode) ? "" : "it is no file" : std::strerror(errno);
  if (*why == '\0' && info.st_size > 0) {
    size_ = static_cast<std::size_t>(info.st_size);
    void* const at = ::mmap(nullptr, size_, PROT_READ, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED) why = std::strerror(errno);
    else data_ = static_cast<const std::uint8_t*>(at), lost_ = note_mapping(at, size_, path.c_str());
  }
  mtime_ns_ = mtime_of(info);
  if (fd >= 0) ::close(fd);
  if (*why != '\0') throw Error("cannot read " + path.string() + ": " + why);
}

MappedFile::~MappedFile() {
  if (data_ == nullptr) return;
  forget_mapping(data_);
  ::munmap(const_cast<std::uint8_t*>(data_), size_);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      lost_(std::exchange(other.lost_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      mtime_ns_(std::exchange(other.mtime_ns_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(lost_, other.lost_);
  std::swap(size_, other.size_);
  std::swap(mtime_ns_, other.mtime_ns_);
  return *this;
}

}  // namespace nephron::host
