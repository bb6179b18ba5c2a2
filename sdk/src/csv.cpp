#include <nephron/csv.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <iterator>

namespace nephron {

namespace {

/// Cuts text into records of fields.
class Reader {
 public:
  Reader(std::string_view text, const std::string& name) : text_(text), name_(name) {
    if (text_.substr(0, 3) == "\xEF\xBB\xBF") at_ = 3;  // byte order mark
  }

  /// False at the end. Empty lines are passed over.
  bool next(std::vector<std::string>& fields, std::size_t& line) {
    while (at_ < text_.size() && (text_[at_] == '\n' || text_[at_] == '\r')) step();
    if (at_ >= text_.size()) return false;
    fields.clear();
    line = line_;
    for (;;) {
      fields.push_back(field());
      if (at_ >= text_.size()) return true;
      const char c = text_[at_];
      step();
      if (c == ',') continue;
      if (c == '\r' && at_ < text_.size() && text_[at_] == '\n') step();
      return true;
    }
  }

 private:
  void step() { line_ += text_[at_++] == '\n'; }

  std::string field() {
    if (at_ >= text_.size() || text_[at_] != '"') {
      const std::size_t end = std::min(text_.find_first_of(",\r\n", at_), text_.size());
      const std::string out(text_.substr(at_, end - at_));
      at_ = end;
      return out;
    }
    const std::size_t opened = line_;
    std::string out;
    for (++at_;;) {
      const std::size_t quote = text_.find('"', at_);
      if (quote == std::string_view::npos)
        throw Error(name_ + ":" + std::to_string(opened) + ": a quote is opened and never closed");
      out += text_.substr(at_, quote - at_);
      line_ += static_cast<std::size_t>(std::count(text_.begin() + static_cast<std::ptrdiff_t>(at_),
                                                   text_.begin() + static_cast<std::ptrdiff_t>(quote), '\n'));
      at_ = quote + 1;
      if (at_ < text_.size() && text_[at_] == '"') {
        out += '"';
        ++at_;
        continue;
      }
      if (at_ < text_.size() && text_[at_] != ',' && text_[at_] != '\r' && text_[at_] != '\n')
        throw Error(name_ + ":" + std::to_string(line_) + ": text stands behind a closing quote; expected a comma");
      return out;
    }
  }

  std::string_view text_;
  const std::string& name_;
  std::size_t at_ = 0, line_ = 1;
};

std::string list_of(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "\"" : ", \"") + name + "\"";
  return out;
}

}  // namespace

CsvTable CsvTable::parse(std::string_view text, std::string_view where) {
  CsvTable out;
  out.name_ = where;
  Reader reader(text, out.name_);
  std::size_t line = 0;
  if (!reader.next(out.columns_, line))
    throw Error(out.name_ + " is empty; expected a CSV file with a line of column names");
  std::vector<std::string> sorted = out.columns_;
  std::sort(sorted.begin(), sorted.end());
  if (const auto twice = std::adjacent_find(sorted.begin(), sorted.end()); twice != sorted.end())
    throw Error(out.name_ + ":" + std::to_string(line) + ": column \"" + *twice + "\" is named twice");
  for (std::vector<std::string> fields; reader.next(fields, line);) {
    if (fields.size() != out.columns_.size())
      throw Error(out.name_ + ":" + std::to_string(line) + ": the row has " + std::to_string(fields.size()) +
                  " fields; expected " + std::to_string(out.columns_.size()) + ", as in the first line");
    out.lines_.push_back(line);
    std::move(fields.begin(), fields.end(), std::back_inserter(out.cells_));
  }
  return out;
}

CsvTable CsvTable::read(const std::filesystem::path& file) {
  std::error_code error;
  if (std::filesystem::is_directory(file, error)) throw Error(file.string() + " is a folder; expected a CSV file");
  std::ifstream in(file, std::ios::binary);
  if (!in) throw Error("cannot open " + file.string() + "; expected a CSV file");
  const std::string text((std::istreambuf_iterator<char>(in)), {});
  if (in.bad()) throw Error("cannot read " + file.string());
  return parse(text, file.string());
}

std::optional<std::size_t> CsvTable::find_column(std::string_view name) const noexcept {
  const auto found = std::find(columns_.begin(), columns_.end(), name);
  if (found == columns_.end()) return std::nullopt;
  return static_cast<std::size_t>(found - columns_.begin());
}

std::size_t CsvTable::column(std::string_view name) const {
  if (const auto found = find_column(name)) return *found;
  require_columns({std::string(name)});
  return 0;
}

void CsvTable::require_columns(const std::vector<std::string>& names) const {
  std::vector<std::string> missing;
  for (const std::string& name : names)
    if (!find_column(name)) missing.push_back(name);
  if (!missing.empty())
    throw Error(name_ + ":1: there is no column " + list_of(missing) + "; the file has " + list_of(columns_));
}

std::optional<double> CsvTable::number(std::size_t row, std::size_t column) const {
  const std::string& text = cell(row, column);
  const std::size_t first = text.find_first_not_of(" \t"), last = text.find_last_not_of(" \t");
  if (first == std::string::npos) return std::nullopt;
  double value = 0;
  const char* const end = text.data() + last + 1;
  const auto [stop, fault] = std::from_chars(text.data() + first, end, value);
  if (fault != std::errc() || stop != end || !std::isfinite(value))
    throw error(row, column, "\"" + text.substr(0, 40) + "\" is not a number");
  return value;
}

std::string CsvTable::where(std::size_t row) const { return name_ + ":" + std::to_string(lines_.at(row)); }

Error CsvTable::error(std::size_t row, std::size_t column, const std::string& message, std::string hint) const {
  return Error(where(row) + ", column \"" + columns_.at(column) + "\": " + message, std::move(hint));
}

}  // namespace nephron
