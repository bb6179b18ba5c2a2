#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <host/store/labels_folder.hpp>
#include <host/store/picture_folder.hpp>

namespace nephron::host {

/// What stands in a folder of the store: records of either kind, a reduction each.
struct StoredFolder {
  StoreFolder folder;
  std::vector<PictureRecord> pictures;
  std::vector<LabelsRecord> labels;
  bool earlier = false;    ///< a slide of version 1, which nothing reads any more
  std::int64_t bytes = 0;  ///< of all its files
  std::vector<std::string> problems;

  bool has_record() const { return !pictures.empty() || !labels.empty() || earlier; }
};

/// Every folder of a store, by name; what is not ours is passed over. Throws Error when the folder is no store.
std::vector<StoredFolder> list_store(const std::filesystem::path& store);

struct FolderChecks {
  bool sources = false;  ///< compare the source files too: whether they are there, and their content
};

/// Reads every tile of a folder and compares digests, label counts and sources with its records; returns what is wrong.
/// Files that are sound and were written to since, such as copies, are noted as they are.
std::vector<std::string> verify_folder(const StoredFolder& stored, const FolderChecks& request);

/// What stands in a folder and is not ours: what remove_folder() would leave.
std::vector<std::string> foreign_in(const StoreFolder& folder);
/// Removes a folder when no other process uses it for preparing: the files that the store writes, and the folder when
/// nothing else is in it. Returns what was left because it is not ours. Throws Error for a folder without a record, and
/// for one that is reached through a link.
std::vector<std::string> remove_folder(const StoreFolder& folder);
/// Removes what a folder holds of one reduction.
void remove_reduction(const StoreFolder& folder, Reduction reduction);

/// Writes a prepared picture or labels, or a part of them, as PNG (up to 2^29 bytes) or as a compressed TIFF (.tif,
/// .tiff), streamed.
struct ExportWish {
  Reduction reduction;
  Region region;  ///< in pixels of that level; empty: all of it
  std::filesystem::path out;
};
void export_picture(const PictureFolder& folder, const ExportWish& wish);
void export_labels(const LabelsFolder& folder, const ExportWish& wish);

}  // namespace nephron::host
