#pragma once

#include <optional>
#include <string>
#include <vector>

#include <host/registry/filter.hpp>
#include <host/registry/run_index.hpp>

namespace nephron::host {

/// What of the runs is listed, and how.
struct ListRequest {
  std::optional<Filter> filter;
  std::vector<std::string> columns;   ///< keys, those of `group_by` first
  std::vector<std::string> group_by;  ///< keys that the list is asked to be grouped by
  std::vector<std::string> sort;      ///< keys; runs without a value come last
  bool descending = false;
  std::size_t most = 0;  ///< rows; 0: all
};

/// Runs by keys; a cell is empty where a run has no such key.
struct RunTable {
  using Cell = std::optional<FactValue>;
  struct Row {
    IndexedRun run;
    std::vector<Cell> cells;
  };
  std::vector<std::string> columns;
  std::vector<Row> rows;
  std::size_t left_out = 0;  ///< by `most`
};

/// Throws UsageError for a key of the request that no run has.
RunTable make_table(const RunIndex& index, const ListRequest& request);

/// One row for each set of values of the first `keys` columns: how many runs, then mean, deviation and greatest value
/// of every numeric column.
struct GroupTable {
  std::vector<std::string> columns;
  std::vector<std::vector<RunTable::Cell>> rows;
  bool folds_differ = false;  ///< means of different folds stand beside each other
};
/// Where the table has a column "folds", rows say of which folds their runs are ("0,1,2", or "0 | 1 | 2" of runs that
/// are parts of one) where that differs between them, or with `say_folds`.
GroupTable group(const RunTable& table, std::size_t keys, bool say_folds = false);

// Output.

/// For a terminal: `width` columns; 0: as wide as it gets. Times are told as how long ago they are, numbers stand on
/// the right.
std::string to_text(const std::vector<std::string>& columns, const std::vector<std::vector<RunTable::Cell>>& rows,
                    std::size_t width);
std::string to_json(const std::vector<std::string>& columns, const std::vector<std::vector<RunTable::Cell>>& rows);
std::string to_csv(const std::vector<std::string>& columns, const std::vector<std::vector<RunTable::Cell>>& rows);

/// Of the terminal that the standard output is; 0 where it is none.
std::size_t terminal_width();

/// "3 h ago", "just now", "in 2 d"; the text itself where it is no time that a record holds. `now`: seconds since 1970.
std::string time_ago(const std::string& time, std::int64_t now);

/// How a person reads the values of a key: a share or a Dice with four digits, seconds as "1 h 02 min", a time as what
/// a record holds, other numbers with six digits.
enum class ShownAs { plain, share, seconds, time };
ShownAs shown_as(const std::string& key);

/// A cell as a person reads it: a Dice with four digits, seconds as "1 h 02 min", other numbers with six digits.
std::string shown(const std::string& key, const FactValue& value);

}  // namespace nephron::host
