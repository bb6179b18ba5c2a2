// What lies in the roots, what of it can have changed since it was looked at, and what it says now.
#include <algorithm>
#include <map>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include <nephron/error.hpp>

#include <host/registry/index_database.hpp>
#include <host/registry/index_state.hpp>
#include <host/registry/labels.hpp>
#include <host/registry/run_look.hpp>
#include <host/util/interrupt.hpp>
#include <host/util/log.hpp>
#include <host/util/progress.hpp>
#include <host/util/thread_pool.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

/// From so many on, one process reads for all.
constexpr std::size_t many = 500;
constexpr std::size_t runs_a_transaction = 256;

class Refresh {
 public:
  Refresh(Database& database, const std::vector<fs::path>& roots) : database_(database), roots_(roots) {}

  /// What has to be looked at.
  std::size_t survey() {
    forget_labels_that_changed();
    for (const fs::path& root : roots_) visit(root, 0);
    return looks_.size();
  }

  void carry_out() {
    forget_gone();
    Progress progress("reading runs", static_cast<std::int64_t>(looks_.size()));
    for (std::size_t begin = 0; begin < looks_.size(); begin += runs_a_transaction) {
      const std::size_t count = std::min(runs_a_transaction, looks_.size() - begin);
      if (count == 1) read_run(looks_[begin]);
      else thread_pool().parallel_for(count, [&](std::size_t i) { read_run(looks_[begin + i]); });
      if (interrupted()) throw Cancelled();
      write(begin, count);
      progress.update(static_cast<std::int64_t>(begin + count));
    }
    progress.finish();
    write_folders();
  }

  std::size_t count() const { return looks_.size(); }

  std::vector<IndexedRun> list() const {
    std::vector<IndexedRun> out;
    Statement ask(database_, "SELECT number, name FROM runs WHERE folder = ? AND is_run ORDER BY name");
    std::vector<fs::path> folders = visited_;
    std::sort(folders.begin(), folders.end());
    for (const fs::path& folder : folders) {
      const auto known = folder_at(folder);
      if (!known) continue;
      ask.with(known->number);
      while (ask.step()) out.push_back({ask.integer(0), folder / ask.text(1)});
    }
    return out;
  }

 private:
  std::optional<KnownFolder> folder_at(const fs::path& path) const {
    Statement ask(database_, "SELECT number, mtime, looked, parent FROM folders WHERE path = ?");
    ask.with(path.string());
    if (!ask.step()) return std::nullopt;
    return KnownFolder{ask.integer(0), path, {ask.integer(1), ask.integer(2)}, ask.integer(3)};
  }

  std::vector<KnownRun> runs_of(std::int64_t folder) const {
    Statement ask(database_,
                  "SELECT number, name, is_run, settled, mtime, looked, validation FROM runs WHERE folder = ?");
    ask.with(folder);
    std::vector<KnownRun> out;
    while (ask.step())
      out.push_back({ask.integer(0), folder, ask.text(1), ask.integer(2) != 0, static_cast<Rest>(ask.integer(3)),
                     Times{ask.integer(4), ask.integer(5)}, ask.integer(6)});
    return out;
  }

  std::vector<fs::path> folders_below(std::int64_t folder) const {
    Statement ask(database_, "SELECT path FROM folders WHERE parent = ? ORDER BY path");
    ask.with(folder);
    std::vector<fs::path> out;
    while (ask.step()) out.emplace_back(ask.text(0));
    return out;
  }

  /// A root (`parent` is 0), or a folder of an experiment's runs in it.
  void visit(const fs::path& path, std::int64_t parent) {
    if (std::find(visited_.begin(), visited_.end(), path) != visited_.end()) return;
    visited_.push_back(path);
    const std::int64_t looked = now_in_ns();
    const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct stat info = {};
    if (fd >= 0) ::fstat(fd, &info);
    auto known = folder_at(path);
    const bool still = fd >= 0 && known && known->times.still(mtime_in_ns(info));
    // One that was a root by itself is found below its parent from now on, too.
    if (!known || (parent != 0 && known->parent != parent)) {
      if (!known) known = KnownFolder{0, path, {}, parent};
      known->number = new_folder(path, parent);
    }
    const std::vector<KnownRun> runs = runs_of(known->number);
    std::vector<fs::path> below = parent == 0 ? folders_below(known->number) : std::vector<fs::path>();
    std::vector<std::string> fresh;
    if (!still) {
      const std::vector<std::string> here = folders_in(path);
      const std::unordered_set<std::string> names(here.begin(), here.end());
      std::unordered_set<std::string> known_names;
      for (const KnownRun& run : runs) known_names.insert(run.name);
      for (const KnownRun& run : runs)
        if (!names.contains(run.name)) gone_runs_.push_back(run.number);
      std::erase_if(below, [&](const fs::path& sub) {
        if (names.contains(sub.filename().string())) return false;
        forget_folder(sub);
        return true;
      });
      for (const std::string& name : here) {
        if (known_names.contains(name)) continue;
        const bool is_run = parent != 0 || ::access((path / name / "experiment.resolved.toml").c_str(), F_OK) == 0;
        if (is_run) fresh.push_back(name);
        else if (std::find(below.begin(), below.end(), path / name) == below.end()) below.push_back(path / name);
      }
      folders_.push_back({known->number, path, {fd >= 0 ? mtime_in_ns(info) : 0, looked}});
      for (const KnownRun& run : runs)
        if (names.contains(run.name)) check(fd, *known, run);
    } else {
      for (const KnownRun& run : runs) check(fd, *known, run);
    }
    for (const std::string& name : fresh) looks_.push_back({known->number, path / name, {}, {}, {}, {}, {}, {}});
    if (fd >= 0) ::close(fd);
    for (const fs::path& sub : below) visit(sub, known->number);
  }

  void forget_folder(const fs::path& path) {
    const auto known = folder_at(path);
    if (!known) return;
    for (const KnownRun& run : runs_of(known->number)) gone_runs_.push_back(run.number);
    gone_folders_.push_back(known->number);
  }

  std::int64_t new_folder(const fs::path& path, std::int64_t parent) {
    Statement add(database_,
                  "INSERT INTO folders (parent, path, mtime, looked) VALUES (?, ?, 0, 0) "
                  "ON CONFLICT (path) DO UPDATE SET parent = excluded.parent RETURNING number");
    add.with(parent, path.string());
    if (!add.step()) throw DatabaseError(1, "no number for a folder");
    const std::int64_t number = add.integer(0);
    add.execute();
    return number;
  }

  /// `at`: the folder that it lies in, open.
  void check(int at, const KnownFolder& folder, const KnownRun& run) {
    struct stat info = {};
    if (at < 0 || ::fstatat(at, run.name.c_str(), &info, 0) != 0) {
      gone_runs_.push_back(run.number);
      return;
    }
    const bool at_rest = run.is_run && run.settled != Rest::none && run.times.still(mtime_in_ns(info));
    if (at_rest && still_validated(at, run) &&
        (run.settled == Rest::finished || FolderLock::ask(folder.path / run.name) != FolderLock::State::held))
      return;
    Look look;
    look.folder = folder.number;
    look.path = folder.path / run.name;
    look.before = run;
    Statement ask(database_, "SELECT stamps FROM runs WHERE number = ?");
    if (ask.with(run.number).step()) look.stamps = ask.text(0);
    looks_.push_back(std::move(look));
  }

  /// A validation that is made again changes its own folder alone.
  static bool still_validated(int at, const KnownRun& run) {
    if (run.validation == 0) return true;
    struct stat info = {};
    return ::fstatat(at, (run.name + "/validation").c_str(), &info, 0) == 0 &&
           Times{run.validation, run.times.looked}.still(mtime_in_ns(info));
  }

  /// Tags and notes in the user's own folder change no time of the run's.
  void forget_labels_that_changed() {
    const fs::path folder = own_label_folder();
    struct stat info = {};
    if (folder.empty() || ::stat(folder.c_str(), &info) != 0) return;
    Statement ask(database_, "SELECT labels FROM own WHERE number = 1");
    const bool known = ask.step();
    if (known && Times{ask.integer(0), now_in_ns()}.still(mtime_in_ns(info))) return;
    ask.with();
    std::unordered_set<std::string> files;
    for (const auto& entry : fs::directory_iterator(folder)) files.insert(entry.path().filename().string());
    std::vector<std::int64_t> runs;
    Statement all(database_,
                  "SELECT runs.number, path || '/' || name FROM runs JOIN folders ON folders.number = folder");
    while (all.step()) {
      const std::vector<fs::path> its = label_files(all.text(1));  // the first is the run's own
      if (std::any_of(its.begin() + 1, its.end(),
                      [&](const fs::path& file) { return files.contains(file.filename().string()); }))
        runs.push_back(all.integer(0));
    }
    Transaction transaction(database_);
    Statement forget(database_, "UPDATE runs SET looked = 0 WHERE number = ?");
    for (const std::int64_t run : runs) forget.with(run).execute();
    Statement(database_, "INSERT INTO own VALUES (1, ?) ON CONFLICT (number) DO UPDATE SET labels = excluded.labels")
        .with(mtime_in_ns(info))
        .execute();
    transaction.commit();
  }

  /// When every run of them is known: whoever sees these times lists what the index has.
  void write_folders() {
    if (folders_.empty()) return;
    Transaction transaction(database_);
    Statement update(database_, "UPDATE folders SET mtime = ?, looked = ? WHERE number = ?");
    for (const KnownFolder& folder : folders_)
      update.with(folder.times.mtime, folder.times.looked, folder.number).execute();
    transaction.commit();
  }

  void forget_gone() {
    if (gone_runs_.empty() && gone_folders_.empty()) return;
    Transaction transaction(database_);
    for (const std::int64_t run : gone_runs_)
      for (const char* sql : {"DELETE FROM facts WHERE run = ?", "DELETE FROM uses WHERE run = ?",
                              "DELETE FROM problems WHERE run = ?", "DELETE FROM runs WHERE number = ?"})
        Statement(database_, sql).with(run).execute();
    for (const std::int64_t folder : gone_folders_)
      Statement(database_, "DELETE FROM folders WHERE number = ?").with(folder).execute();
    transaction.commit();
  }

  /// True where the index would say nothing else than it does. A settled run is written once more when its times are
  /// no longer unsure, so that it is not looked at for ever.
  static bool is_same(const Look& look) {
    if (look.before.number == 0 || !look.sources.empty() || !look.state.empty()) return false;
    if (look.before.is_run != look.after.is_run || look.before.settled != look.after.settled) return false;
    return look.after.settled == Rest::none || !look.after.times.still(look.after.times.mtime);
  }

  Facts state_before(const Look& look) {
    Statement ask(database_,
                  "SELECT name, value FROM facts INDEXED BY facts_of_run JOIN keys ON keys.number = facts.key "
                  "WHERE run = ? AND source = ?");
    ask.with(look.before.number, source_state);
    Facts out;
    while (ask.step()) out.push_back({ask.text(0), ask.value(1)});
    return out;
  }

  static bool equal_in_any_order(Facts a, Facts b) {
    const auto by_key = [](const Fact& x, const Fact& y) { return x.key < y.key; };
    std::sort(a.begin(), a.end(), by_key);
    std::sort(b.begin(), b.end(), by_key);
    return a == b;
  }

  void write(std::size_t begin, std::size_t count) {
    std::vector<Look*> changed;
    for (std::size_t i = begin; i < begin + count; ++i) {
      Look& look = looks_[i];
      if (look.before.number != 0 && equal_in_any_order(look.state, state_before(look))) look.state.clear();
      if (!is_same(look)) changed.push_back(&look);
    }
    if (changed.empty()) return;
    Transaction transaction(database_);
    for (Look* const look : changed) write(*look);
    transaction.commit();
  }

  void write(const Look& look) {
    Statement add(database_,
                  "INSERT INTO runs (folder, name, is_run, settled, mtime, validation, looked, stamps) "
                  "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (folder, name) DO UPDATE SET is_run = excluded.is_run, "
                  "settled = excluded.settled, mtime = excluded.mtime, validation = excluded.validation, "
                  "looked = excluded.looked, stamps = excluded.stamps RETURNING number");
    const KnownRun& run = look.after;
    add.with(look.folder, look.path.filename().string(), static_cast<int>(run.is_run), static_cast<int>(run.settled),
             run.times.mtime, run.validation, run.times.looked, look.stamps_now);
    if (!add.step()) throw DatabaseError(1, "no number for a run");
    const std::int64_t number = add.integer(0);
    add.execute();
    // Another process has dropped the run and found it again meanwhile: what was not read now is not there.
    if (look.before.number != 0 && number != look.before.number) throw DatabaseError(SQLITE_BUSY, "others are at work");
    for (const auto& [source, facts] : look.sources) write(number, source, facts);
    if (look.state.empty()) return;  // as it was
    SourceFacts state;
    state.facts = look.state;
    write(number, source_state, state);
  }

  void write(std::int64_t run, int source, const SourceFacts& facts) {
    for (Statement* const forget : {&forget_facts_, &forget_uses_, &forget_problems_})
      forget->with(run, source).execute();
    for (const Fact& fact : facts.facts) add_fact_.with(key_number(fact.key), run, source, fact.value).execute();
    for (const Use& use : facts.uses)
      add_use_.with(static_cast<int>(use.kind), use.value, run, source, use.how).execute();
    if (!facts.problem.empty()) add_problem_.with(run, source, facts.problem).execute();
  }

  std::int64_t key_number(const std::string& key) {
    const auto known = keys_.find(key);
    if (known != keys_.end()) return known->second;
    const std::int64_t there = find_key_.with(key).step() ? find_key_.integer(0) : 0;
    find_key_.execute();  // a row that it stands on would hold this moment of the index
    if (there != 0) return keys_[key] = there;
    Statement add(database_,
                  "INSERT INTO keys (name) VALUES (?) ON CONFLICT (name) DO UPDATE SET name = name "
                  "RETURNING number");
    add.with(key);
    if (!add.step()) throw DatabaseError(1, "no number for a key");
    const std::int64_t number = add.integer(0);
    add.execute();
    return keys_[key] = number;
  }

  Database& database_;
  const std::vector<fs::path>& roots_;
  std::vector<fs::path> visited_;
  std::vector<KnownFolder> folders_;  ///< that were listed anew
  std::vector<std::int64_t> gone_runs_, gone_folders_;
  std::vector<Look> looks_;
  std::unordered_map<std::string, std::int64_t> keys_;
  Statement forget_facts_{database_, "DELETE FROM facts WHERE run = ? AND source = ?"};
  Statement forget_uses_{database_, "DELETE FROM uses WHERE run = ? AND source = ?"};
  Statement forget_problems_{database_, "DELETE FROM problems WHERE run = ? AND source = ?"};
  Statement find_key_{database_, "SELECT number FROM keys WHERE name = ?"};
  Statement add_fact_{database_, "INSERT OR REPLACE INTO facts (key, run, source, value) VALUES (?, ?, ?, ?)"};
  Statement add_use_{database_, "INSERT INTO uses (kind, value, run, source, how) VALUES (?, ?, ?, ?, ?)"};
  Statement add_problem_{database_, "INSERT OR REPLACE INTO problems (run, source, text) VALUES (?, ?, ?)"};
};

}  // namespace

void refresh(const fs::path& file, Database& database, const std::vector<fs::path>& roots,
             std::vector<IndexedRun>& runs, std::size_t& looked_at) {
  std::optional<Refresh> work(std::in_place, database, roots);
  std::optional<IndexLock> lock;
  if (work->survey() > many) {
    lock.emplace(file);  // another process may have read them meanwhile
    work.emplace(database, roots);
    work->survey();
  }
  work->carry_out();
  looked_at = work->count();
  runs = work->list();
}

}  // namespace nephron::host
