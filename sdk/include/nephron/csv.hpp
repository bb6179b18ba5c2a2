#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nephron/error.hpp>
#include <nephron/export.hpp>
#include <nephron/room.hpp>

namespace nephron {

/// A CSV file with a line of column names: commas, fields in "quotes" (doubled inside), line ends LF or CRLF, a byte
/// order mark. Fields may be megabytes long (run lengths are). Empty lines are passed over.
class NEPHRON_API CsvTable {
 public:
  /// Throws Error that names file and line: no header, a column twice, a row of another width, an open quote.
  static CsvTable read(const std::filesystem::path& file);
  /// `where`: what errors call the text.
  static CsvTable parse(std::string_view text, std::string_view where);

  const std::vector<std::string>& columns() const noexcept { return columns_; }
  std::size_t rows() const noexcept { return lines_.size(); }
  /// Place of a column; throws Error that names it and the columns that are there.
  std::size_t column(std::string_view name) const;
  std::optional<std::size_t> find_column(std::string_view name) const noexcept;
  /// Throws Error that names every one of `names` that is missing.
  void require_columns(const std::vector<std::string>& names) const;

  const std::string& cell(std::size_t row, std::size_t column) const {
    return cells_.at(row * columns_.size() + column);
  }
  /// A finite number; throws Error that names file, line and column. Empty cells are nothing.
  std::optional<double> number(std::size_t row, std::size_t column) const;
  /// "train.csv:12": file and line where the row begins.
  std::string where(std::size_t row) const;
  /// An Error for a cell, to throw: "train.csv:12, column \"encoding\": ...".
  Error error(std::size_t row, std::size_t column, const std::string& message, std::string hint = {}) const;

 private:
  std::string name_;
  std::vector<std::string> columns_;
  std::vector<std::string> cells_;
  std::vector<std::size_t> lines_;  ///< a row
  Room room_;
};

}  // namespace nephron
