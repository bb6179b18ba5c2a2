#include <host/store/store_folder.hpp>

#include <algorithm>
#include <utility>

#include <unistd.h>

#include <nephron/plugin.hpp>
#include <nephron/version.hpp>

#include <host/store/content_hash.hpp>
#include <host/store/digest.hpp>
#include <host/store/marker.hpp>
#include <host/util/files.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

constexpr const char* part_mark = ".part.";

}  // namespace

const char* const store_tool = "nephron " NEPHRON_STRING(NEPHRON_SDK_MAJOR) "." NEPHRON_STRING(
    NEPHRON_SDK_MINOR) "." NEPHRON_STRING(NEPHRON_SDK_PATCH);

std::string short_key(const std::string& text) { return sha256_hex(text.data(), text.size()).substr(0, 12); }

std::string store_name(const std::string& id) {
  std::string out;
  for (const char c : id) {
    const bool good = c != '/' && c != '\\' && static_cast<unsigned char>(c) >= 32 && c != 127;
    out += good ? c : '_';
  }
  constexpr std::size_t longest = 200;
  if (out.size() > longest) out.resize(longest);
  const bool odd = out != id || out.empty() || out.front() == '.';
  return odd ? "_" + out + "-" + short_key(id) : out;
}

std::vector<Reduction> reductions_in(const fs::path& folder, const std::string& what) {
  std::vector<Reduction> out;
  std::error_code failed;
  for (fs::directory_iterator it(folder, failed), end; !failed && it != end; it.increment(failed)) {
    const std::string name = it->path().filename().string();
    constexpr std::size_t ending = 5;  // ".json"
    if (!name.starts_with(what + "-") || !name.ends_with(".json")) continue;
    const std::string text = name.substr(what.size() + 1, name.size() - what.size() - 1 - ending);
    if (const auto reduction = Reduction::parse(text)) out.push_back(*reduction);
  }
  std::sort(out.begin(), out.end());
  return out;
}

void StoreFolder::make() const {
  std::error_code failed;
  fs::create_directories(folder_, failed);
  if (failed)
    throw Error("cannot make the folder " + folder_.string() + ": " + failed.message(),
                "prepare the slides where the store can be written, or name another folder in data.store");
}

void StoreFolder::require_own(const std::vector<fs::path>& files) {
  for (const fs::path& file : files) {
    std::error_code failed;
    const fs::file_type type = fs::symlink_status(file, failed).type();
    if (type == fs::file_type::regular || type == fs::file_type::not_found) continue;
    throw Error(file.string() + " is " + (type == fs::file_type::symlink ? "a link" : "no file") +
                    ", which nephron did not write and does not replace",
                "remove it, then run the same command again");
  }
}

void StoreFolder::remove_leftovers() const {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder_, ignored)) {
    const std::string name = entry.path().filename().string();
    const bool unfinished = name.find(part_mark) != std::string::npos || name.find(".tmp.") != std::string::npos;
    const bool file = entry.symlink_status(ignored).type() == fs::file_type::regular;
    if (unfinished && file && is_store_file(name)) fs::remove(entry.path(), ignored);
  }
}

void StoreFolder::require_space(std::int64_t bytes) const {
  std::error_code failed;
  const fs::space_info space = fs::space(folder_, failed);
  if (!failed && space.available < static_cast<std::uintmax_t>(bytes))
    throw Error("the disk of " + folder_.string() + " has " + std::to_string(space.available >> 20) +
                    " MiB free; the slide needs " + std::to_string((bytes >> 20) + 1),
                "make room on that disk, then run the same command again");
}

FileStamp StoreFolder::stamp(const fs::path& file) const {
  return file.empty() ? FileStamp{} : stamp_of(file, store());
}

std::string StoreFolder::changed(const FileStamp& then, const fs::path& file, Compare compare) const {
  FileStamp now;
  try {
    now = stamp(file);
  } catch (const Error&) {
    return "";  // what cannot be read now cannot have changed the store: it stays in use
  }
  const bool alike = then.looks_like(now);
  const bool may_be_equal = then.bytes == now.bytes && !then.content.empty();
  if (!alike && (compare == Compare::stamps || !may_be_equal)) return file.string() + " has changed";
  if (alike && compare != Compare::contents) return "";
  return content_hash_of(file) == then.content ? "" : "the content of " + file.string() + " has changed";
}

bool StoreFolder::note_moved(FileStamp& then, const fs::path& file) const {
  FileStamp now = stamp(file);
  const bool same = then.path == now.path && then.relative == now.relative && then.mtime_ns == now.mtime_ns;
  if (same || then.bytes != now.bytes) return false;
  now.content = std::move(then.content);
  then = std::move(now);
  return true;
}

Unfinished::Unfinished(fs::path file)
    : file_(std::move(file)), part_(file_.string() + part_mark + std::to_string(::getpid())) {}

Unfinished::Unfinished(Unfinished&& other) noexcept
    : file_(std::exchange(other.file_, {})), part_(std::exchange(other.part_, {})) {}

Unfinished::~Unfinished() {
  std::error_code ignored;
  if (!part_.empty()) fs::remove(part_, ignored);
}

void Unfinished::finish() {
  std::error_code failed;
  fs::rename(part_, file_, failed);
  if (failed) throw Error("cannot write " + file_.string() + ": " + failed.message());
  part_.clear();
}

}  // namespace nephron::host
