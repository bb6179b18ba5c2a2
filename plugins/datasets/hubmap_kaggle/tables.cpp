#include "tables.hpp"

#include <cmath>

#include <nephron/rle.hpp>

namespace hubmap_kaggle {

namespace fs = std::filesystem;
using nephron::CsvTable;
using nephron::Error;

MaskTable::MaskTable(const fs::path& file) {
  if (!fs::exists(file)) return;
  table_ = CsvTable::read(file);
  table_->require_columns({"id", "encoding"});
  encoding_ = table_->column("encoding");
  const std::size_t id = table_->column("id");
  for (std::size_t row = 0; row < table_->rows(); ++row) {
    if (table_->cell(row, id).empty()) throw table_->error(row, id, "a row has no id");
    rows_[table_->cell(row, id)].push_back(row);
  }
}

std::vector<std::string> MaskTable::ids() const {
  std::vector<std::string> out;
  for (const auto& [id, rows] : rows_) out.push_back(id);
  return out;
}

nephron::Runs MaskTable::runs(const std::string& id, nephron::Size slide) const {
  const std::vector<std::size_t>& rows = rows_.at(id);
  if (rows.size() > 1)
    throw Error(table_->where(rows[1]) + ": slide \"" + id + "\" has a row already at " + table_->where(rows[0]) +
                    "; expected one row a slide",
                "remove one of them");
  return nephron::parse_rle(table_->cell(rows[0], encoding_), slide, table_->where(rows[0]));
}

MetadataTable::MetadataTable(const fs::path& file) {
  if (!fs::exists(file)) return;
  const CsvTable table = CsvTable::read(file);
  table.require_columns({"image_file", "width_pixels", "height_pixels", "patient_number"});
  const std::size_t name = table.column("image_file"), width = table.column("width_pixels"),
                    height = table.column("height_pixels"), donor = table.column("patient_number");
  for (std::size_t row = 0; row < table.rows(); ++row) {
    const auto pixels = [&](std::size_t column) {
      const double value = table.number(row, column).value_or(0);
      if (value < 0 || value > 1e9 || value != std::floor(value))
        throw table.error(row, column, "expected a whole number of pixels");
      return static_cast<std::int64_t>(value);
    };
    const Row entry{{pixels(width), pixels(height)}, table.cell(row, donor), table.where(row)};
    const auto [found, fresh] = rows_.emplace(table.cell(row, name), entry);
    if (!fresh)
      throw Error(table.where(row) + ": \"" + table.cell(row, name) + "\" has a row already at " + found->second.where +
                  "; expected one row a file");
  }
}

const MetadataTable::Row* MetadataTable::find(const std::string& image_file) const {
  const auto found = rows_.find(image_file);
  return found == rows_.end() ? nullptr : &found->second;
}

}  // namespace hubmap_kaggle
