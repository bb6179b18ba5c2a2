#include "file_bytes.hpp"

#include <cerrno>
#include <cstring>
#include <string>

#include <fcntl.h>
#include <unistd.h>

#include <nephron/error.hpp>

namespace tiff_reader {

using nephron::Error;

FileBytes::FileBytes(std::filesystem::path file)
    : file_(std::move(file)), descriptor_(::open(file_.c_str(), O_RDONLY | O_CLOEXEC)) {
  if (descriptor_ < 0) throw Error(file_.string() + " cannot be opened: " + std::strerror(errno));
}

FileBytes::~FileBytes() { ::close(descriptor_); }

void FileBytes::read(std::uint64_t place, std::size_t count, void* out) const {
  auto* to = static_cast<char*>(out);
  while (count > 0) {
    const ssize_t n = ::pread(descriptor_, to, count, static_cast<off_t>(place));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0)
      throw Error(file_.string() + " cannot be read at byte " + std::to_string(place) + ": " + std::strerror(errno));
    if (n == 0)
      throw Error(file_.string() + " ends at byte " + std::to_string(place) + ", where pixels were expected",
                  "the file became shorter while it was open");
    to += n;
    place += static_cast<std::uint64_t>(n);
    count -= static_cast<std::size_t>(n);
  }
}

}  // namespace tiff_reader
