#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nephron/csv.hpp>
#include <nephron/geometry.hpp>
#include <nephron/rle.hpp>

namespace hubmap_kaggle {

/// train.csv: one row a slide, `id,encoding`.
class MaskTable {
 public:
  /// A file that is not there has no rows.
  explicit MaskTable(const std::filesystem::path& file);
  bool has(const std::string& id) const { return rows_.contains(id); }
  std::vector<std::string> ids() const;
  /// Throws Error that names file and line: an id in two rows, and what parse_rle() refuses.
  nephron::Runs runs(const std::string& id, nephron::Size slide) const;

 private:
  std::optional<nephron::CsvTable> table_;
  std::map<std::string, std::vector<std::size_t>> rows_;  ///< of an id
  std::size_t encoding_ = 0;
};

/// HuBMAP-20-dataset_information.csv: one row a slide file.
class MetadataTable {
 public:
  /// A file that is not there has no rows.
  explicit MetadataTable(const std::filesystem::path& file);
  struct Row {
    nephron::Size size;
    std::string donor;  ///< patient_number
    std::string where;  ///< "FILE:LINE"
  };
  /// Null when the file has none.
  const Row* find(const std::string& image_file) const;

 private:
  std::map<std::string, Row> rows_;
};

}  // namespace hubmap_kaggle
