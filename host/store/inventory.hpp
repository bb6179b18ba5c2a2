#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <host/store/slide_folder.hpp>

namespace nephron::host {

/// What stands in a folder of the store.
struct StoredEntry {
  SlideFolder folder;
  std::optional<PictureRecord> picture;  ///< none: unfinished or damaged
  std::vector<LabelsRecord> labels;      ///< a list of classes each
  std::int64_t bytes = 0;                ///< of all its files
  std::vector<std::string> problems;
};

/// Every slide of a store, by dataset and id; what is not ours is passed over. Throws Error when the folder is no
/// store.
std::vector<StoredEntry> list_store(const std::filesystem::path& store);

struct VerifyRequest {
  bool sources = false;  ///< hash the source files too
};

/// Reads every tile of a slide and compares digests, label counts and source with its records; returns what is wrong.
std::vector<std::string> verify_slide(const StoredEntry& entry, const VerifyRequest& request);

/// What stands in a slide's folder and is not ours: what remove_slide() would leave.
std::vector<std::string> foreign_in(const SlideFolder& folder);
/// Removes a slide when no other process uses it for preparing: the files that the store writes, and the folder when
/// nothing else is in it. Returns what was left because it is not ours. Throws Error for a folder without a record, and
/// for one that is reached through a link.
std::vector<std::string> remove_slide(const SlideFolder& folder);
/// Removes its labels for one list of classes.
void remove_labels(const SlideFolder& folder, const std::vector<std::string>& classes);

/// Writes a level of a slide, or a part of it, as PNG (up to 2^29 bytes) or as a compressed TIFF (.tif, .tiff),
/// streamed.
struct ExportWish {
  enum class What { picture, labels } what = What::picture;
  std::vector<std::string> classes;  ///< of the labels
  int factor = 0;                    ///< 0: the least that is there
  Region region;                     ///< in pixels of that level; empty: all of it
  std::filesystem::path out;
};
void export_slide(const SlideFolder& folder, const ExportWish& wish);

}  // namespace nephron::host
