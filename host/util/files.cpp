#include <host/util/files.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nephron/error.hpp>

#include <host/util/descriptor.hpp>
#include <host/util/own_file.hpp>
#include <host/util/partial_file.hpp>
#include <host/util/write_all.hpp>
#include <host/util/write_error.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

std::string reason() { return std::strerror(errno); }

Descriptor opened(const fs::path& path, int flags, ::mode_t mode = 0666) {
  return Descriptor(::open(path.c_str(), flags | O_CLOEXEC, mode));
}

/// A plain file that is read, which it says of itself: a pipe would be waited for, and a device may never end.
class PlainFile {
 public:
  explicit PlainFile(const fs::path& path) : file_(opened(path, O_RDONLY | O_NONBLOCK)) {
    if (!file_.good() || ::fstat(file_.get(), &info_) != 0)
      throw Error("cannot read " + path.string() + ": " + reason());
    if (S_ISDIR(info_.st_mode)) throw Error("cannot read " + path.string() + ": it is a folder");
    if (!S_ISREG(info_.st_mode)) throw Error(path.string() + " is no plain file");
  }
  int get() const { return file_.get(); }
  std::size_t size() const { return static_cast<std::size_t>(std::max<off_t>(info_.st_size, 0)); }

 private:
  Descriptor file_;
  struct stat info_ = {};
};

std::string hex_of(const unsigned char* bytes, unsigned int size) {
  constexpr char digits[] = "0123456789abcdef";
  std::string hex;
  for (unsigned int i = 0; i < size; ++i) (hex += digits[bytes[i] >> 4]) += digits[bytes[i] & 15];
  return hex;
}

}  // namespace

std::string read_file(const fs::path& file, std::size_t most) {
  const PlainFile in(file);
  std::string bytes;
  const std::size_t size = in.size();
  if (size > most)
    throw Error(file.string() + " has " + std::to_string(size) + " bytes, more than the " + std::to_string(most) +
                " that are read");
  bytes.resize(size);
  std::size_t done = 0;
  while (true) {
    if (done == bytes.size()) {  // all of it, or a file of /proc, whose size is not known
      if (size > 0) break;
      if (done >= most)
        throw Error(file.string() + " has more than the " + std::to_string(most) + " bytes that are read");
      bytes.resize(done + 65536);
    }
    const ssize_t n = ::read(in.get(), bytes.data() + done, bytes.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw Error("cannot read " + file.string() + ": " + reason());
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  bytes.resize(done);
  return bytes;
}

void read_in_pieces(const fs::path& file, const std::function<void(const void*, std::size_t)>& piece) {
  // Whole pages into whole pages: where the memory lies a few bytes further on in its page than the bytes of the file
  // in theirs, as malloc gives it, AMD's processors copy six times slower.
  constexpr std::size_t page = 4096, size = 128 * page;
  const std::unique_ptr<void, decltype(&std::free)> buffer(std::aligned_alloc(page, size), &std::free);
  if (buffer == nullptr) throw std::bad_alloc();
  const PlainFile in(file);
  while (const ssize_t n = ::read(in.get(), buffer.get(), size)) {
    if (n > 0) piece(buffer.get(), static_cast<std::size_t>(n));
    else if (errno != EINTR) throw Error("cannot read " + file.string() + ": " + reason());
  }
}

namespace {

/// `mode`: its rights at most, of which the umask takes some.
void write_with_rights(const fs::path& file, std::string_view bytes, ::mode_t mode) {
  const fs::path temporary = partial_name(file);
  const auto give_up = [&] {
    const int why = errno;
    ::unlink(temporary.c_str());
    fail_to_write(file, why);
  };
  Descriptor out = opened(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode);
  if (!out.good()) give_up();
  if (!write_all(out.get(), bytes) || ::fsync(out.get()) != 0 || !out.close()) give_up();
  if (::rename(temporary.c_str(), file.c_str()) != 0) give_up();
  // The rename itself is only safe from a power cut once the folder is synced; a folder that cannot be is no error.
  const Descriptor folder =
      opened(file.parent_path().empty() ? fs::path(".") : file.parent_path(), O_RDONLY | O_DIRECTORY);
  if (folder.good()) ::fsync(folder.get());
}

}  // namespace

void write_file_atomically(const fs::path& file, std::string_view bytes) { write_with_rights(file, bytes, 0666); }

void write_own_file(const fs::path& file, std::string_view bytes) { write_with_rights(file, bytes, 0644); }

void require_writable(const fs::path& folder, std::size_t need) {
  make_folder(folder);
  const fs::path probe = folder / (".nephron-probe." + std::to_string(::getpid()));
  {
    const Descriptor out = opened(probe, O_WRONLY | O_CREAT | O_TRUNC);
    const bool written = out.good() && write_all(out.get(), std::string(4096, '\0'));
    const int why = errno;
    ::unlink(probe.c_str());
    if (!written) fail_to_write_into(folder, why);
  }
  std::error_code failed;
  const fs::space_info space = fs::space(folder, failed);
  if (!failed && space.available < need)
    throw WriteError("the disk of " + folder.string() + " has " + std::to_string(space.available >> 20) +
                         " MiB free; " + std::to_string((need >> 20) + 1) + " MiB are needed",
                     "Make room on that disk.");
}

std::string sha256_of(const fs::path& file) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> digest(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  EVP_DigestInit_ex(digest.get(), EVP_sha256(), nullptr);
  read_in_pieces(file, [&](const void* bytes, std::size_t size) { EVP_DigestUpdate(digest.get(), bytes, size); });
  unsigned char bytes[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_DigestFinal_ex(digest.get(), bytes, &size);
  return hex_of(bytes, size);
}

std::string sha256_of_text(std::string_view text) {
  unsigned char bytes[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), bytes, &size, EVP_sha256(), nullptr);
  return hex_of(bytes, size);
}

}  // namespace nephron::host
