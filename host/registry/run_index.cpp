#include <host/registry/run_index.hpp>

#include <algorithm>
#include <chrono>
#include <thread>
#include <unordered_map>

#include <host/registry/index_database.hpp>
#include <host/registry/index_state.hpp>
#include <host/registry/run_look.hpp>
#include <host/util/log.hpp>
#include <host/util/printable.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

/// One name for what lies at several.
std::vector<fs::path> settled_names(const std::vector<fs::path>& roots) {
  std::vector<fs::path> out;
  for (const fs::path& root : roots) {
    std::error_code failed;
    fs::path real = fs::canonical(root, failed);
    if (failed) real = fs::absolute(root).lexically_normal();
    if (std::find(out.begin(), out.end(), real) == out.end()) out.push_back(std::move(real));
  }
  return out;
}

}  // namespace

RunIndex RunIndex::open(const std::vector<fs::path>& roots, const fs::path& named) {
  const std::vector<fs::path> folders = settled_names(roots);
  const auto attempt = [&](const fs::path& file) {
    auto state = std::make_unique<State>(file);
    open_tables(state->database, file);
    refresh(file, state->database, folders, state->runs, state->looked_at);
    return RunIndex(std::move(state));
  };
  const fs::path file = named.empty() ? index_file() : named;
  constexpr int most_attempts = 6;
  std::string why = "there is no home folder";
  for (int i = 0; i < most_attempts && !file.empty(); ++i) {
    const std::uint64_t identity = identity_of(file);
    try {
      return attempt(file);
    } catch (const DatabaseError& e) {
      why = e.what();
      log().debug("the index of runs " + file.string() + ": " + why);
      if (is_damage(e) && fs::is_regular_file(file)) remove_index(file, identity);
      else if (!is_busy(e)) break;
      else std::this_thread::sleep_for(std::chrono::milliseconds(20 << i));
    }
  }
  log().warning("no index of runs is kept, so all are read anew each time: " + printable_name(file.string()) + ": " +
                why + " (XDG_CACHE_HOME names another folder)");
  return attempt({});
}

void RunIndex::with(const std::vector<fs::path>& roots, const std::function<void(const RunIndex&)>& work) {
  const fs::path file = index_file();
  const std::uint64_t identity = identity_of(file);
  try {
    return work(open(roots));
  } catch (const DatabaseError& e) {
    if (!is_damage(e) || identity == 0) throw;
    log().debug("the index of runs " + file.string() + ": " + e.what());
  }
  remove_index(file, identity);
  work(open(roots));
}

RunIndex::RunIndex(std::unique_ptr<State> state) : state_(std::move(state)) {}
RunIndex::~RunIndex() = default;
RunIndex::RunIndex(RunIndex&&) noexcept = default;

const std::vector<IndexedRun>& RunIndex::runs() const noexcept { return state_->runs; }
std::size_t RunIndex::looked_at() const noexcept { return state_->looked_at; }

std::vector<std::string> RunIndex::keys() const {
  // Keys stay when the last run that had them goes; whether one has it is a look at the first of its facts.
  Statement ask(state_->database,
                "SELECT name FROM keys WHERE EXISTS (SELECT 1 FROM facts WHERE key = keys.number) ORDER BY name");
  std::vector<std::string> out;
  while (ask.step()) out.push_back(ask.text(0));
  return out;
}

FactColumn RunIndex::column(const std::string& key) const {
  Statement ask(state_->database,
                "SELECT run, value FROM facts WHERE key = (SELECT number FROM keys WHERE name = ?) ORDER BY run");
  ask.with(key);
  FactColumn out;
  out.values.reserve(state_->runs.size());
  while (ask.step()) out.values.emplace_back(ask.integer(0), ask.value(1));
  return out;
}

const FactValue* FactColumn::find(std::int64_t run) const {
  const auto found = std::lower_bound(values.begin(), values.end(), run,
                                      [](const auto& entry, std::int64_t number) { return entry.first < number; });
  return found != values.end() && found->first == run ? &found->second : nullptr;
}

Facts RunIndex::facts(std::int64_t run) const {
  Statement ask(state_->database,
                "SELECT name, value FROM facts INDEXED BY facts_of_run JOIN keys ON keys.number = facts.key "
                "WHERE run = ? ORDER BY name");
  ask.with(run);
  Facts out;
  while (ask.step()) out.push_back({ask.text(0), ask.value(1)});
  return out;
}

void RunIndex::each(const EachFact& call) const {
  std::unordered_map<std::int64_t, std::string> names;
  Statement keys(state_->database, "SELECT number, name FROM keys");
  while (keys.step()) names.emplace(keys.integer(0), keys.text(1));
  Statement all(state_->database, "SELECT key, run, source, value FROM facts");
  while (all.step()) {
    const std::int64_t source = all.integer(2);
    call(all.integer(1), names[all.integer(0)],
         source < source_state ? std::optional(static_cast<FactSource>(source)) : std::nullopt, all.value(3));
  }
}

std::vector<FoundUse> RunIndex::uses(Use::Kind kind, const std::string& value) const {
  // By its very name first: that is one look, the rest goes through all.
  if (auto found = uses_where("value = ?2 AND ?3 = ?3 AND ?4 = ?4", kind, value, false, false); !found.empty())
    return found;
  const bool digest = value.size() >= 6 && value.find_first_not_of("0123456789abcdef") == std::string::npos;
  const bool path = value.find('/') != std::string::npos || value.find('.') != std::string::npos;
  return uses_where("((?3 AND value GLOB ?2 || '*') OR (?4 AND value LIKE '%/' || ?2))", kind, value, digest, path);
}

std::vector<FoundUse> RunIndex::uses_below(Use::Kind kind, const std::string& folder) const {
  return uses_where("(value = ?2 OR substr(value, 1, length(?2) + 1) = ?2 || '/') AND ?3 = ?3 AND ?4 = ?4", kind,
                    folder, false, false);
}

std::vector<FoundUse> RunIndex::uses_where(const std::string& condition, Use::Kind kind, const std::string& value,
                                           bool digest, bool path) const {
  Statement ask(state_->database, "SELECT run, how FROM uses WHERE kind = ?1 AND " + condition + " ORDER BY run, how");
  ask.with(static_cast<int>(kind), value, static_cast<int>(digest), static_cast<int>(path));
  std::vector<FoundUse> out;
  while (ask.step()) {
    std::string how = ask.text(1);
    const std::int64_t run = ask.integer(0);
    const auto same = [&](const FoundUse& use) { return use.run == run && use.how == how; };
    if (std::none_of(out.rbegin(), out.rend(), same)) out.push_back({run, std::move(how)});
  }
  return out;
}

std::vector<RunProblem> RunIndex::problems() const {
  std::unordered_map<std::int64_t, const fs::path*> folders;
  for (const IndexedRun& run : state_->runs) folders.emplace(run.number, &run.folder);
  std::vector<RunProblem> out;
  Statement ask(state_->database, "SELECT run, text FROM problems ORDER BY run, source");
  while (ask.step())
    if (const auto run = folders.find(ask.integer(0)); run != folders.end()) out.push_back({*run->second, ask.text(1)});
  return out;
}

}  // namespace nephron::host
