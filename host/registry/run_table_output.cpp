#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include <sys/ioctl.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include <host/registry/run_table.hpp>
#include <host/runs/here_and_now.hpp>
#include <host/util/csv_field.hpp>
#include <host/util/printable.hpp>
#include <host/util/progress.hpp>

namespace nephron::host {

namespace {

using Cell = RunTable::Cell;
using Rows = std::vector<std::vector<Cell>>;

constexpr const char* ellipsis = "\u2026";
constexpr std::size_t narrowest = 8;  // that a column of texts is cut to
constexpr std::size_t gap = 2;

/// Characters, each taken for one column wide.
std::size_t columns_of(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::string cut(const std::string& text, std::size_t width) {
  if (columns_of(text) <= width) return text;
  std::size_t end = 0, columns = 0;
  for (; end < text.size(); ++end) {
    const bool begins = (static_cast<unsigned char>(text[end]) & 0xc0) != 0x80;
    if (begins && ++columns == width) break;
  }
  return text.substr(0, end) + ellipsis;
}

/// The table as text, before it is known how wide it may be.
struct Sheet {
  std::vector<std::string> head;
  std::vector<std::vector<std::string>> lines;
  std::vector<std::size_t> widths;
  std::vector<bool> numeric;
  std::size_t left_out = 0;  ///< columns

  std::size_t width() const {
    std::size_t out = 0;
    for (const std::size_t w : widths) out += w + gap;
    return out > 0 ? out - gap : 0;
  }
};

Sheet sheet_of(const std::vector<std::string>& columns, const Rows& rows) {
  Sheet out;
  out.head = columns;
  out.numeric.assign(columns.size(), true);
  const std::int64_t now = std::time(nullptr);
  for (const std::vector<Cell>& row : rows) {
    std::vector<std::string>& line = out.lines.emplace_back();
    for (std::size_t c = 0; c < columns.size(); ++c) {
      if (row[c] && !number_of(*row[c])) out.numeric[c] = false;
      line.push_back(!row[c]                   ? ""
                     : columns[c] == "started" ? time_ago(text_of(*row[c]), now)
                                               : printable_name(shown(columns[c], *row[c])));
    }
  }
  for (std::size_t c = 0; c < columns.size(); ++c) {
    std::size_t width = columns_of(columns[c]);
    for (const auto& line : out.lines) width = std::max(width, columns_of(line[c]));
    out.widths.push_back(width);
  }
  return out;
}

/// The widest texts give first; then columns go, the last ones first.
void fit(Sheet& sheet, std::size_t width) {
  while (sheet.width() > width) {
    std::size_t widest = sheet.widths.size();
    for (std::size_t c = 0; c < sheet.widths.size(); ++c)
      if (!sheet.numeric[c] && sheet.widths[c] > narrowest &&
          (widest == sheet.widths.size() || sheet.widths[c] > sheet.widths[widest]))
        widest = c;
    if (widest < sheet.widths.size()) {
      sheet.widths[widest] =
          std::max(narrowest, sheet.widths[widest] - std::min(sheet.widths[widest] - narrowest, sheet.width() - width));
    } else if (sheet.widths.size() > 1) {
      sheet.widths.pop_back();
      ++sheet.left_out;
    } else {
      return;
    }
  }
}

std::string line_of(const Sheet& sheet, const std::vector<std::string>& cells) {
  std::string out;
  for (std::size_t c = 0; c < sheet.widths.size(); ++c) {
    const std::string text = cut(cells[c], sheet.widths[c]);
    const std::string blanks(sheet.widths[c] - std::min(sheet.widths[c], columns_of(text)), ' ');
    out += (c > 0 ? std::string(gap, ' ') : "") + (sheet.numeric[c] ? blanks + text : text + blanks);
  }
  out.erase(out.find_last_not_of(' ') + 1);
  return out + "\n";
}

bool is_dice(const std::string& key) {
  for (const char* word : {"dice", "score.", "iou"})
    if (key.find(word) != std::string::npos) return true;
  return false;
}

nlohmann::ordered_json json_of(const std::string& key, const FactValue& value) {
  if (const auto* const whole = std::get_if<std::int64_t>(&value)) return *whole;
  if (const auto* const real = std::get_if<double>(&value)) return *real;
  const std::string& text = std::get<std::string>(value);
  if (key == "tag") {
    nlohmann::ordered_json tags = nlohmann::ordered_json::array();
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = std::min(text.find(tag_separator, at), text.size());
      tags.push_back(text.substr(at, end - at));
      at = end + 1;
    }
    return tags;
  }
  if (text == "true" || text == "false") return text == "true";
  return text;
}

}  // namespace

std::size_t terminal_width() {
  winsize size = {};
  return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

std::string time_ago(const std::string& time, std::int64_t now) {
  const auto seconds = seconds_of_time(time);
  if (!seconds) return printable_name(time);
  const std::int64_t past = now - *seconds, size = std::abs(past);
  if (size < 60) return "just now";
  const auto told = [&](std::int64_t unit, const char* name) {
    const std::string text = std::to_string(size / unit) + " " + name;
    return past > 0 ? text + " ago" : "in " + text;
  };
  if (size < 3600) return told(60, "min");
  if (size < 48 * 3600) return told(3600, "h");
  if (size < 60 * 86400) return told(86400, "d");
  return time.substr(0, 10);
}

ShownAs shown_as(const std::string& key) {
  if (key == "started") return ShownAs::time;
  if (key.starts_with("seconds") || key.find("_seconds") != std::string::npos) return ShownAs::seconds;
  return is_dice(key) ? ShownAs::share : ShownAs::plain;
}

std::string shown(const std::string& key, const FactValue& value) {
  if (key == "tag") {
    std::string tags = text_of(value);
    std::replace(tags.begin(), tags.end(), tag_separator, ' ');
    return tags;
  }
  const auto* const real = std::get_if<double>(&value);
  if (real == nullptr) return text_of(value);
  const ShownAs as = shown_as(key);
  if (as == ShownAs::seconds) return duration_text(*real);
  if (as != ShownAs::share) return short_number(*real);
  char text[32];
  std::snprintf(text, sizeof text, "%.4f", *real);
  return text;
}

std::string to_text(const std::vector<std::string>& columns, const Rows& rows, std::size_t width) {
  Sheet sheet = sheet_of(columns, rows);
  if (width > 0) fit(sheet, width);
  std::string out = line_of(sheet, sheet.head);
  for (const auto& line : sheet.lines) out += line_of(sheet, line);
  if (sheet.left_out > 0)
    out += "(no room for " + std::to_string(sheet.left_out) + " of the columns: a wider window, or --json, has them)\n";
  return out;
}

std::string to_json(const std::vector<std::string>& columns, const Rows& rows) {
  // Written by hand up to the values: a tree of a million values takes longer to build than to print.
  std::vector<std::string> names;
  for (const std::string& key : columns)
    names.push_back(nlohmann::json(key).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + ": ");
  std::string out = "[";
  for (const std::vector<Cell>& row : rows) {
    out += out.size() > 1 ? ",\n {" : "\n {";
    bool first = true;
    for (std::size_t c = 0; c < columns.size(); ++c) {
      if (!row[c]) continue;
      out += (first ? "" : ", ") + names[c];
      first = false;
      if (std::holds_alternative<std::string>(*row[c]))
        out += json_of(columns[c], *row[c]).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
      else out += text_of(*row[c]);
    }
    out += "}";
  }
  return out + "\n]\n";
}

std::string to_csv(const std::vector<std::string>& columns, const Rows& rows) {
  std::string out;
  for (std::size_t c = 0; c < columns.size(); ++c) out += (c > 0 ? "," : "") + csv_field(columns[c]);
  out += "\n";
  for (const std::vector<Cell>& row : rows) {
    for (std::size_t c = 0; c < columns.size(); ++c)
      out += (c > 0 ? "," : "") +
             (row[c] ? csv_field(columns[c] == "tag" ? shown("tag", *row[c]) : text_of(*row[c])) : "");
    out += "\n";
  }
  return out;
}

}  // namespace nephron::host
