#include <nephron/quiet_libraries.hpp>

#include <algorithm>
#include <cstdio>
#include <mutex>

namespace nephron {

namespace {

thread_local QuietLibraries* innermost = nullptr;
std::FILE* terminal = nullptr;

}  // namespace

long QuietLibraries::take(void*, const char* text, unsigned long size) {
  constexpr std::size_t most = 4096;
  if (innermost == nullptr) return static_cast<long>(std::fwrite(text, 1, size, terminal));
  std::string& said = innermost->said_;
  said.append(text, std::min<std::size_t>(size, most - std::min(most, said.size())));
  return static_cast<long>(size);
}

QuietLibraries::QuietLibraries() : outer_(innermost) {
  // glibc's `stderr` is a variable, which libraries read whenever they print: from now on it is a stream that asks the
  // thread. What was taken from it before, as our log and std::cerr have, goes on as ever.
  static std::once_flag once;
  std::call_once(once, [] {
    cookie_io_functions_t functions{};
    functions.write = [](void* cookie, const char* text, std::size_t size) -> ssize_t {
      return take(cookie, text, size);
    };
    std::FILE* const asking = ::fopencookie(nullptr, "w", functions);
    if (asking == nullptr) return;  // then they are as loud as they were
    std::setvbuf(asking, nullptr, _IONBF, 0);
    terminal = stderr;
    stderr = asking;
  });
  innermost = this;
}

QuietLibraries::~QuietLibraries() { innermost = outer_; }

bool QuietLibraries::said_damaged() const {
  // libjpeg goes on after damage with grey or coloured blocks. Bytes between markers that it skips are common in files
  // of careless writers, and no damage.
  const std::size_t at = said_.find("Corrupt JPEG data: ");
  const bool jpeg = at != std::string::npos && said_.find("extraneous bytes", at) == std::string::npos;
  return jpeg || said_.find("Premature end of JPEG file") != std::string::npos;
}

}  // namespace nephron
