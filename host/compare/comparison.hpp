#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <host/compare/comparability.hpp>
#include <host/compare/cost.hpp>
#include <host/compare/finding.hpp>
#include <host/compare/found_objects.hpp>
#include <host/compare/measured_run.hpp>
#include <host/compare/pooled_figures.hpp>
#include <host/compare/settle.hpp>
#include <host/compare/sides.hpp>

namespace nephron::host {

/// What `nephron compare` is asked for.
struct CompareRequest {
  std::vector<std::filesystem::path> runs;
  std::filesystem::path baseline;  ///< empty: the first of the runs
  std::string metric = "dice";     ///< the value that verdicts are of
  bool by_seed = false;
  std::vector<std::string> vary;
  std::optional<double> margin, effect;
  bool anyway = false;
  std::uint64_t seed = 0;
};

/// Runs beside each other: all that the outputs tell.
struct Comparison {
  CompareRequest request;
  std::vector<MeasuredRun> runs;   ///< the baseline first
  std::vector<Side> sides;         ///< that of the baseline first
  std::vector<Objection> ignored;  ///< objections that --anyway overruled
  std::vector<Objection> varied;   ///< that --vary allowed
  GoodWhen good_when = GoodWhen::higher;

  ValueTable table;                                ///< of the named value, as mean over the classes
  std::vector<Finding> findings;                   ///< a side but the first
  std::vector<double> first_share;                 ///< a side; empty for two
  std::vector<std::optional<Settling>> settlings;  ///< a finding
  std::vector<std::vector<Finding>> exploratory;   ///< classes, then other values: each a finding a side
  PooledFigures pooled;                            ///< of the named value
  std::vector<ObjectDifferences> objects;          ///< a side but the first
  std::vector<ConfigDifference> differences;
  std::vector<RunCost> costs;      ///< a run
  std::vector<std::string> notes;  ///< what a reader must know besides
};

/// Reads, decides and tests. Throws UsageError for what cannot be asked for, Error for damaged runs and for runs that
/// are not comparable, with every reason at once.
Comparison compare_runs(const CompareRequest& request);

/// For the terminal.
std::string comparison_text(const Comparison& comparison);
std::string comparison_json(const Comparison& comparison);
/// What a side's row says: "rows" is sides, donors or slides.
std::string comparison_csv(const Comparison& comparison, const std::string& rows);
/// A booktabs table.
std::string comparison_latex(const Comparison& comparison);
/// A page that needs nothing but itself. `viewer`: address that `nephron view` printed, for links; or empty.
std::string comparison_page(const Comparison& comparison, const std::string& viewer);

}  // namespace nephron::host
