#include <host/util/partial_file.hpp>

#include <atomic>
#include <cerrno>
#include <string>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include <host/util/write_error.hpp>

namespace nephron::host {

std::filesystem::path partial_name(const std::filesystem::path& file) {
  static std::atomic<unsigned> number{0};  // threads may write one file at a time too
  return file.string() + ".tmp." + std::to_string(::getpid()) + "." + std::to_string(number.fetch_add(1));
}

PartialFile::PartialFile(std::filesystem::path file) : file_(std::move(file)), partial_(partial_name(file_)) {}

PartialFile::~PartialFile() {
  std::error_code ignored;
  if (!kept_) std::filesystem::remove(partial_, ignored);
}

void PartialFile::keep() {
  const int opened = ::open(partial_.c_str(), O_RDONLY | O_CLOEXEC);
  const bool synced = opened >= 0 && ::fsync(opened) == 0;
  const int why = errno;
  if (opened >= 0) ::close(opened);
  if (!synced) fail_to_write(file_, why);
  std::error_code error;
  std::filesystem::rename(partial_, file_, error);
  if (error) fail_to_write(file_, error.value());
  kept_ = true;
}

}  // namespace nephron::host
