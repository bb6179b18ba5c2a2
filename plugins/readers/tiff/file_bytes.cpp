#include "file_bytes.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/uio.h>
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

void FileBytes::read_rows(std::uint64_t place, std::size_t count, std::size_t step, std::size_t rows, std::uint8_t* out,
                          std::ptrdiff_t stride) const {
  constexpr std::size_t rows_a_call = 256;  // two parts each: what is wanted, and the rest of the row; IOV_MAX is 1024
  thread_local std::vector<std::uint8_t> rest;
  const std::size_t gap = step - count;
  if (rest.size() < gap) rest.resize(gap);
  iovec parts[2 * rows_a_call];
  for (std::size_t done = 0; done < rows;) {
    const std::size_t n = std::min(rows_a_call, rows - done);
    int used = 0;
    for (std::size_t i = 0; i < n; ++i) {
      parts[used++] = {out + static_cast<std::ptrdiff_t>(done + i) * stride, count};
      if (i + 1 < n && gap > 0) parts[used++] = {rest.data(), gap};
    }
    const std::uint64_t at = place + done * step;
    const auto wanted = static_cast<ssize_t>((n - 1) * step + count);
    if (::preadv(descriptor_, parts, used, static_cast<off_t>(at)) !=
        wanted)  // cut off, interrupted, or at the file's end
      for (std::size_t i = 0; i < n; ++i)
        read(at + i * step, count, out + static_cast<std::ptrdiff_t>(done + i) * stride);
    done += n;
  }
}

}  // namespace tiff_reader
