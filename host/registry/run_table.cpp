#include <host/registry/run_table.hpp>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <sstream>

#include <host/runs/status.hpp>
#include <host/util/counted.hpp>
#include <host/util/usage_error.hpp>

namespace nephron::host {

namespace {

using Cell = RunTable::Cell;

/// The columns of an index, each read once.
class Columns {
 public:
  explicit Columns(const RunIndex& index) : index_(index) {}
  const FactColumn& of(const std::string& key) {
    const auto found = read_.find(key);
    return found != read_.end() ? found->second : read_.emplace(key, index_.column(key)).first->second;
  }

 private:
  const RunIndex& index_;
  std::map<std::string, FactColumn> read_;
};

void require_known(const std::vector<std::string>& wanted, const std::vector<std::string>& known, const char* option) {
  for (const std::string& key : wanted) {
    if (std::binary_search(known.begin(), known.end(), key)) continue;
    const std::string near = near_key(key, known);
    throw UsageError(std::string(option) + " names \"" + key + "\", which no run has",
                     near.empty() ? "nephron runs keys lists what runs have" : "did you mean \"" + near + "\"?");
  }
}

/// Below 0: a comes first. Numbers come before texts, and what is not there last of all.
int order(const FactValue* a, const FactValue* b, bool descending) {
  if (a == nullptr || b == nullptr) return a == b ? 0 : a == nullptr ? 1 : -1;
  const auto x = number_of(*a), y = number_of(*b);
  int out = 0;
  if (x && y) out = *x < *y ? -1 : *x > *y ? 1 : 0;
  else if (x || y) return x ? -1 : 1;
  else out = text_of(*a).compare(text_of(*b));
  return descending ? -out : out;
}

std::vector<const IndexedRun*> matching(const RunIndex& index, const std::optional<Filter>& filter, Columns& columns) {
  std::vector<const FactColumn*> of_filter;
  if (filter)
    for (const std::string& key : filter->keys()) of_filter.push_back(&columns.of(key));
  std::vector<const IndexedRun*> out;
  for (const IndexedRun& run : index.runs())
    if (!filter || filter->matches([&](std::size_t i) { return of_filter[i]->find(run.number); })) out.push_back(&run);
  return out;
}

void sort(std::vector<const IndexedRun*>& runs, const ListRequest& request, Columns& columns) {
  std::vector<const FactColumn*> by;
  for (const std::string& key : request.sort) by.push_back(&columns.of(key));
  std::stable_sort(runs.begin(), runs.end(), [&](const IndexedRun* a, const IndexedRun* b) {
    for (const FactColumn* column : by)
      if (const int first = order(column->find(a->number), column->find(b->number), request.descending); first != 0)
        return first < 0;
    return false;
  });
}

struct Numbers {
  std::vector<double> values;
  double mean() const {
    return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
  }
  /// Of a sample: the runs stand for others like them.
  double deviation() const {
    const double m = mean();
    double sum = 0;
    for (const double v : values) sum += (v - m) * (v - m);
    return std::sqrt(sum / static_cast<double>(values.size() - 1));
  }
};

using Rows = std::vector<const RunTable::Row*>;

/// Which folds the runs of a group are of.
struct FoldsOfGroup {
  std::string text;
  std::map<std::string, double> shares;  ///< of its mean, a fold each: runs that are parts of one count as that one

  FoldsOfGroup(const Rows& rows, std::size_t column) {
    std::map<std::string, std::size_t> runs;  // by their folds
    for (const RunTable::Row* row : rows) ++runs[row->cells[column] ? text_of(*row->cells[column]) : "not known"];
    const bool even =
        std::all_of(runs.begin(), runs.end(), [&](const auto& r) { return r.second == runs.begin()->second; });
    for (const auto& [folds, count] : runs) {
      text += (text.empty() ? "" : " | ") + folds + (even ? "" : " (" + counted(count, "run") + ")");
      const double whole = static_cast<double>(count) / static_cast<double>(rows.size());
      const auto several = static_cast<double>(1 + std::count(folds.begin(), folds.end(), ','));
      std::istringstream each(folds);
      for (std::string fold; std::getline(each, fold, ',');) shares[fold] += whole / several;
    }
  }
  bool is_mean_of_the_same(const FoldsOfGroup& other) const {
    return std::equal(
        shares.begin(), shares.end(), other.shares.begin(), other.shares.end(),
        [](const auto& a, const auto& b) { return a.first == b.first && std::abs(a.second - b.second) < 1e-9; });
  }
};

/// Puts the folds of each group behind the number of its runs, where that is to be said.
void say_folds_of(const std::vector<FoldsOfGroup>& groups, bool say, std::size_t behind, GroupTable& out) {
  out.folds_differ = std::any_of(groups.begin(), groups.end(),
                                 [&](const FoldsOfGroup& g) { return !g.is_mean_of_the_same(groups.front()); });
  if (!out.folds_differ && !say) return;
  const auto at = static_cast<std::ptrdiff_t>(behind);
  out.columns.insert(out.columns.begin() + at, "folds");
  for (std::size_t i = 0; i < groups.size(); ++i) out.rows[i].insert(out.rows[i].begin() + at, Cell(groups[i].text));
}

}  // namespace

RunTable make_table(const RunIndex& index, const ListRequest& request) {
  if (!index.runs().empty()) {
    std::vector<std::string> known = index.keys();
    // What a run may have at any time is no fault to ask for.
    for (const char* key : {"dice", "error", "note", "tag"})
      if (const auto at = std::lower_bound(known.begin(), known.end(), key); at == known.end() || *at != key)
        known.insert(at, key);
    if (request.filter)
      request.filter->require_known(known), request.filter->require_possible("status", status_names());
    require_known(request.sort, known, "--sort");
    require_known(request.group_by, known, "--group-by");
    require_known(request.columns, known, "--columns");
  }
  Columns columns(index);
  std::vector<const IndexedRun*> runs = matching(index, request.filter, columns);
  sort(runs, request, columns);
  RunTable out;
  out.columns = request.columns;
  if (request.most > 0 && runs.size() > request.most) {
    out.left_out = runs.size() - request.most;
    runs.resize(request.most);
  }
  out.rows.reserve(runs.size());
  for (const IndexedRun* run : runs) out.rows.push_back({*run, std::vector<Cell>(request.columns.size())});
  for (std::size_t c = 0; c < request.columns.size(); ++c) {
    const FactColumn& column = columns.of(request.columns[c]);
    for (RunTable::Row& row : out.rows)
      if (const FactValue* const value = column.find(row.run.number)) row.cells[c] = *value;
  }
  return out;
}

GroupTable group(const RunTable& table, std::size_t keys, bool say_folds) {
  std::map<std::vector<Cell>, Rows> groups;
  for (const RunTable::Row& row : table.rows)
    groups[{row.cells.begin(), row.cells.begin() + static_cast<std::ptrdiff_t>(keys)}].push_back(&row);
  std::vector<std::size_t> numeric;  // columns that hold numbers alone, at least one
  for (std::size_t c = keys; c < table.columns.size(); ++c) {
    bool any = false, all = true;
    for (const RunTable::Row& row : table.rows)
      if (row.cells[c]) any = true, all = all && number_of(*row.cells[c]).has_value();
    if (any && all) numeric.push_back(c);
  }
  GroupTable out;
  out.columns.assign(table.columns.begin(), table.columns.begin() + static_cast<std::ptrdiff_t>(keys));
  out.columns.emplace_back("runs");
  for (const std::size_t c : numeric)
    for (const char* what : {"", "_sd", "_max"}) out.columns.push_back(table.columns[c] + what);
  const auto folds = std::find(table.columns.begin() + static_cast<std::ptrdiff_t>(keys), table.columns.end(), "folds");
  std::vector<FoldsOfGroup> of_folds;
  for (const auto& [values, rows] : groups) {
    if (folds != table.columns.end())
      of_folds.emplace_back(rows, static_cast<std::size_t>(folds - table.columns.begin()));
    std::vector<Cell>& line = out.rows.emplace_back(values);
    line.emplace_back(static_cast<std::int64_t>(rows.size()));
    for (const std::size_t c : numeric) {
      Numbers of;
      for (const RunTable::Row* row : rows)
        if (row->cells[c]) of.values.push_back(*number_of(*row->cells[c]));
      line.resize(line.size() + 3);  // mean, deviation, greatest: as many as there are
      Cell* const cells = &line[line.size() - 3];
      if (of.values.empty()) continue;
      cells[0] = of.mean();
      if (of.values.size() > 1) cells[1] = of.deviation();
      cells[2] = *std::max_element(of.values.begin(), of.values.end());
    }
  }
  say_folds_of(of_folds, say_folds, keys + 1, out);
  return out;
}

}  // namespace nephron::host
