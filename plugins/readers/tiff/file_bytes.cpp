#include "file_bytes.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <nephron/error.hpp>

namespace tiff_reader {

using nephron::Error;

namespace {

constexpr std::size_t page = 4096;

/// AMD's processors copy six times slower to a place that lies 1 to 31 bytes further on in its page than the bytes do
/// in theirs; so do tiles at whole pages of a file and memory that comes from malloc.
bool copies_slowly(std::uint64_t place, std::size_t count, const void* out) {
  const std::uint64_t further = (reinterpret_cast<std::uintptr_t>(out) - place) % page;
  return further > 0 && further < 32 && count >= 2048;
}

/// Memory for `piece` bytes that lies in its page as `place` does in the file's.
constexpr std::size_t piece = 16 * page;
char* memory_like(std::uint64_t place) {
  thread_local std::vector<char> memory(piece + page);
  return memory.data() + (place - reinterpret_cast<std::uintptr_t>(memory.data())) % page;
}

}  // namespace

FileBytes::FileBytes(std::filesystem::path file)
    : file_(std::move(file)), descriptor_(::open(file_.c_str(), O_RDONLY | O_CLOEXEC)) {
  if (descriptor_ < 0) throw Error(file_.string() + " cannot be opened: " + std::strerror(errno));
}

FileBytes::~FileBytes() { ::close(descriptor_); }

void FileBytes::read(std::uint64_t place, std::size_t count, void* out) const {
  auto* to = static_cast<char*>(out);
  const bool by_way_of_others = copies_slowly(place, count, out);
  while (count > 0) {
    char* const first = by_way_of_others ? memory_like(place) : to;
    const ssize_t n =
        ::pread(descriptor_, first, by_way_of_others ? std::min(count, piece) : count, static_cast<off_t>(place));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0)
      throw Error(file_.string() + " cannot be read at byte " + std::to_string(place) + ": " + std::strerror(errno));
    if (n == 0)
      throw Error(file_.string() + " ends at byte " + std::to_string(place) + ", where pixels were expected",
                  "the file became shorter while it was open");
    if (first != to) std::memcpy(to, first, static_cast<std::size_t>(n));
    to += n;
    place += static_cast<std::uint64_t>(n);
    count -= static_cast<std::size_t>(n);
  }
}

void FileBytes::read_rows(std::uint64_t place, std::size_t count, std::size_t step, std::size_t rows, std::uint8_t* out,
                          std::ptrdiff_t stride) const {
  if (step == count && stride == static_cast<std::ptrdiff_t>(count)) return read(place, count * rows, out);
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
