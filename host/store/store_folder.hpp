#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nephron/error.hpp>

#include <host/store/record.hpp>
#include <host/util/files.hpp>

namespace nephron::host {

/// How files are compared with those that something was made from.
enum class Compare {
  stamps,         ///< places, sizes and times
  when_in_doubt,  ///< contents, where those differ and the size does not: a file that moved is the same file
  contents,       ///< contents
};

/// When files of a folder were last written to, by reduction.
using FileTimes = std::map<Reduction, std::int64_t>;

/// A folder of the store that holds a slide's picture or its labels, a few files a reduction:
///
///     STORE/pictures/NAME-KEY/   picture-R.tiff  tissue-R.png  picture-R.json
///     STORE/labels/NAME-KEY/     labels-R.tiff                 labels-R.json
///
/// A JSON file, the record, is removed first and written last: where it stands, its files are whole.
class StoreFolder {
 public:
  explicit StoreFolder(std::filesystem::path folder) : folder_(std::move(folder)) {}

  const std::filesystem::path& path() const noexcept { return folder_; }
  std::filesystem::path store() const { return folder_.parent_path().parent_path(); }

 protected:
  /// Throws Error that says what to do when it cannot be made.
  void make() const;
  /// That nothing which somebody put in place of our files would be replaced, such as a link.
  static void require_own(const std::vector<std::filesystem::path>& files);
  /// Removes what processes that were killed left: nobody else writes here while the lock is held.
  void remove_leftovers() const;
  void require_space(std::int64_t bytes) const;
  /// Of a file that something is made from; of none, an empty one.
  FileStamp stamp(const std::filesystem::path& file) const;
  /// Why a file is not the one that was read, or "".
  std::string changed(const FileStamp& then, const std::filesystem::path& file, Compare compare) const;
  /// Tells a stamp of a file that is elsewhere or has another time, and is the one that was read. True when it did.
  bool note_moved(FileStamp& then, const std::filesystem::path& file) const;
  /// Writes the records anew that `changed(reduction)` gives; those that it gives nothing for stay.
  template <class Changed, class FileOf>
  void rewrite(const std::vector<Reduction>& reductions, const Changed& changed, const FileOf& file_of) const;
  /// Writes the records anew whose files have these times and other ones on record.
  template <class Record, class RecordOf, class FileOf, class RecordFileOf>
  void rewrite_times(const FileTimes& times, const RecordOf& record_of, const FileOf& file_of,
                     const RecordFileOf& record_file_of) const;

 private:
  std::filesystem::path folder_;
};

/// Holds a folder: several readers, or one writer, on one machine or on disks that know locks. Ends with the process,
/// however that ends.
class StoreLock {
 public:
  enum class For { reading, writing };
  /// Waits for others; throws Cancelled after Ctrl-C, and Error when the folder cannot be written into.
  StoreLock(const StoreFolder& folder, For what);
  ~StoreLock();
  StoreLock(const StoreLock&) = delete;
  StoreLock& operator=(const StoreLock&) = delete;

 private:
  int fd_ = -1;
};

template <class Changed, class FileOf>
void StoreFolder::rewrite(const std::vector<Reduction>& reductions, const Changed& changed,
                          const FileOf& file_of) const {
  const auto any = [&](const Reduction& r) { return changed(r).has_value(); };
  if (std::none_of(reductions.begin(), reductions.end(), any)) return;  // nobody is kept waiting for nothing
  const StoreLock lock(*this, StoreLock::For::writing);
  for (const Reduction& r : reductions)
    if (const auto record = changed(r)) write_file_atomically(file_of(r), record->to_json());
}

template <class Record, class RecordOf, class FileOf, class RecordFileOf>
void StoreFolder::rewrite_times(const FileTimes& times, const RecordOf& record_of, const FileOf& file_of,
                                const RecordFileOf& record_file_of) const try {
  std::vector<Reduction> reductions;
  for (const auto& [reduction, time] : times) reductions.push_back(reduction);
  const auto told = [&](const Reduction& r) {
    std::optional<Record> known = record_of(r);
    const bool wrong = known && known->mtime_ns != times.at(r) && stamp(file_of(r)).mtime_ns == times.at(r);
    if (wrong) known->mtime_ns = times.at(r);
    return wrong ? known : std::nullopt;
  };
  rewrite(reductions, told, record_file_of);
} catch (const Error&) {  // a store that cannot be written stays as it is
}

/// A file under a name of its own until it is whole.
class Unfinished {
 public:
  /// What will be `file`.
  explicit Unfinished(std::filesystem::path file);
  ~Unfinished();
  Unfinished(Unfinished&& other) noexcept;
  Unfinished& operator=(Unfinished&&) = delete;
  const std::filesystem::path& path() const noexcept { return part_; }
  void finish();

 private:
  std::filesystem::path file_, part_;
};

/// What wrote a record: this program and its version.
extern const char* const store_tool;

/// A short name for a text: the first characters of its hash.
std::string short_key(const std::string& text);

/// A folder name for whatever a dataset calls itself and its slides; what had to be changed is told apart by its hash.
std::string store_name(const std::string& id);

/// A record that is damaged or of another version is none: its files are made anew.
template <class Record>
std::optional<Record> read_if_good(const std::filesystem::path& file, Reduction reduction) {
  try {
    if (std::filesystem::exists(file))
      if (Record record = Record::read(file); record.reduction == reduction) return record;
  } catch (const Error&) {  // the same as none
  }
  return std::nullopt;
}

/// The reductions that a folder has records of, ascending: of picture-R.json or labels-R.json.
std::vector<Reduction> reductions_in(const std::filesystem::path& folder, const std::string& what);

}  // namespace nephron::host
