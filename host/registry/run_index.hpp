#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <host/registry/fact.hpp>
#include <host/registry/run_reader.hpp>

namespace nephron::host {

/// A run as the index knows it.
struct IndexedRun {
  std::int64_t number = 0;  ///< in the index, until it is made anew
  std::filesystem::path folder;
};

/// What runs have under one key, by number.
struct FactColumn {
  std::vector<std::pair<std::int64_t, FactValue>> values;
  /// Null for a run that has no such key.
  const FactValue* find(std::int64_t run) const;
};

/// What is damaged in a run's folder.
struct RunProblem {
  std::filesystem::path run;
  std::string text;
};

/// A run that used what was asked for.
struct FoundUse {
  std::int64_t run = 0;
  std::string how;
};

/// What is known of all runs of some folders, kept in a SQLite file of the user's cache folder. The runs' folders are
/// the truth: open() brings the file up to date with them, which costs a look at the time of every run's folder and
/// reading what has changed; where the file is damaged, of another version or gone, all is read anew. Any number of
/// processes may do so at a time. Where there can be no file, the same is held in memory, which is warned of.
class RunIndex {
 public:
  /// `roots`: folders of runs, ROOT/EXPERIMENT/RUN; one that is not there counts as empty. `file`: empty for the
  /// user's own.
  static RunIndex open(const std::vector<std::filesystem::path>& roots, const std::filesystem::path& file = {});
  /// work(index), and once more with one that was made anew where the file turns out to be damaged only now: open()
  /// reads no more of it than it needs. So `work` changes and prints nothing before it has read all.
  static void with(const std::vector<std::filesystem::path>& roots, const std::function<void(const RunIndex&)>& work);
  ~RunIndex();
  RunIndex(RunIndex&&) noexcept;

  /// In the order of their folders.
  const std::vector<IndexedRun>& runs() const noexcept;
  /// Every key that some run has, by name. "status" is among them, "id", "name" (of the experiment) and "run".
  std::vector<std::string> keys() const;
  FactColumn column(const std::string& key) const;
  /// All of a run, by name of the key.
  Facts facts(std::int64_t run) const;
  /// Everything of every run, key by key. `source`: nothing for what no file says, such as the status.
  using EachFact = std::function<void(std::int64_t run, const std::string& key, std::optional<FactSource> source,
                                      const FactValue& value)>;
  void each(const EachFact& call) const;
  /// Runs that used `value`: its name, the end of its path, or the begin of its digest.
  std::vector<FoundUse> uses(Use::Kind kind, const std::string& value) const;
  /// Runs that used `folder`, or a file anywhere below it.
  std::vector<FoundUse> uses_below(Use::Kind kind, const std::string& folder) const;
  std::vector<RunProblem> problems() const;

  /// Runs whose files were read by open().
  std::size_t looked_at() const noexcept;

 private:
  struct State;
  explicit RunIndex(std::unique_ptr<State> state);
  std::vector<FoundUse> uses_where(const std::string& condition, Use::Kind kind, const std::string& value, bool digest,
                                   bool path) const;
  std::unique_ptr<State> state_;
};

/// Where the user's index lies: in the cache folder, or, where that is on a network's disk, on one of this machine.
std::filesystem::path index_file();

}  // namespace nephron::host
