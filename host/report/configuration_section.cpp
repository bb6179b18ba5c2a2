#include <host/report/configuration_section.hpp>

#include <algorithm>
#include <optional>
#include <set>

#include <nephron/error.hpp>

#include <host/config/bases.hpp>
#include <host/config/load.hpp>
#include <host/config/show.hpp>
#include <host/html/html.hpp>
#include <host/runs/run_record.hpp>
#include <host/util/files.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

/// The file that a person wrote: as the run tells it, else the one of that name among those that values come from.
std::optional<fs::path> experiment_file(const RunFolder& run, const Value& resolved) {
  std::string told;
  if (fs::exists(run.environment()))
    for (const auto& [key, value] : read_environment(run.environment()).facts)
      if (key == "experiment") told = value;
  if (told.empty()) return std::nullopt;
  for (const Leaf& leaf : leaves(resolved))
    if (const auto& file = leaf.value->source.file;
        file != nullptr && leaf.value->source.line > 0 && fs::path(*file).filename() == fs::path(told).filename())
      if (fs::is_regular_file(*file)) return *file;
  if (fs::is_regular_file(told)) return told;
  return std::nullopt;
}

struct Comparison {
  std::string with;           ///< what stands before the table
  std::optional<Value> base;  ///< nothing: every value that was written is told
};

Comparison compared_with(const RunFolder& run, const Value& resolved) {
  const std::optional<fs::path> file = experiment_file(run, resolved);
  if (!file)
    return {
        "The experiment's file is not there any more, so that what it extended is not known: here is every value that "
        "is no default.",
        {}};
  Diagnostics faults;
  std::optional<Value> base = resolve_bases(*file, faults);
  const std::string name = file->filename().string();
  if (!faults.empty())
    return {name + " extends what cannot be read as it is now: here is every value that is no default.", {}};
  if (!base) return {name + " extends nothing: here is every value that is no default.", {}};
  return {"What " + name + ", and --set, change in what it extends (files as they are now).", std::move(base)};
}

std::string text_of(const Value* value) { return value == nullptr ? "–" : escaped(value->str()); }

std::string differences_table(const RunFolder& run) {
  Value resolved = parse_toml(run.experiment());
  Comparison comparison = compared_with(run, resolved);
  const Value now = without_defaults(std::move(resolved));
  const Value before = comparison.base ? std::move(*comparison.base) : Value(Value::Table{});
  std::vector<std::vector<std::string>> rows;
  for (const Difference& d : differences(before, now)) {
    if (comparison.base && d.after == nullptr) continue;  // a default, or a list that another one replaced
    rows.push_back({escaped(d.key), text_of(d.before), text_of(d.after),
                    d.after == nullptr ? ""
                                       : "<span class=\"soft\">" +
                                             escaped(fs::path(origin(*d.after)).filename().string()) + "</span>"});
    if (!comparison.base) rows.back().erase(rows.back().begin() + 1);
  }
  std::vector<std::string> head{"key", "there", "here", "written in"};
  if (!comparison.base) head.erase(head.begin() + 1);
  constexpr std::size_t many = 24;  // rows that are folded up
  const std::string table = rows.empty() ? "<p>Nothing.</p>" : html_table(head, rows);
  const std::string what = "<span class=\"soft\">" + escaped(comparison.with) + "</span>";
  return "<div class=\"card change\">" +
         (rows.size() > many ? "<details><summary>" + what + "</summary>" + table + "</details>"
                             : "<p>" + what + "</p>" + table) +
         "</div>\n";
}

}  // namespace

std::string configuration_section(const RunFolder& run) {
  return "<h2>Configuration</h2>\n" + differences_table(run) +
         "<div class=\"card\"><details><summary>As it was resolved: every key, and where it was "
         "written</summary><pre>" +
         escaped(read_file(run.experiment())) + "</pre></details></div>\n";
}

}  // namespace nephron::host
