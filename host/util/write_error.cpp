#include <host/util/write_error.hpp>

#include <cerrno>
#include <cstring>
#include <string>
#include <system_error>

namespace nephron::host {

namespace {

std::string remedy(int why) {
  if (why == ENOSPC || why == EDQUOT) return "Make room on that disk.";
  if (why == EFBIG) return "Files may not grow so large here: raise the limit (ulimit -f), or name another disk.";
  return {};
}

}  // namespace

void fail_to_write(const std::filesystem::path& file, int why) {
  throw WriteError("cannot write " + file.string() + ": " + std::strerror(why), remedy(why));
}

void fail_to_write_into(const std::filesystem::path& folder, int why) {
  throw WriteError("cannot write into " + folder.string() + ": " + std::strerror(why), remedy(why));
}

void make_folder(const std::filesystem::path& folder) {
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  if (failed)
    throw WriteError("cannot make the folder " + folder.string() + ": " + failed.message(), remedy(failed.value()));
}

}  // namespace nephron::host
