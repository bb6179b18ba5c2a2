// nephron runs tag, note, rm, restore: what a person does to runs.
#include <memory>

#include <nephron/error.hpp>

#include <host/cli/command.hpp>
#include <host/cli/light/runs_options.hpp>
#include <host/queue/change.hpp>
#include <host/queue/host_file.hpp>
#include <host/registry/labels.hpp>
#include <host/registry/trash.hpp>
#include <host/util/log.hpp>
#include <host/util/printable.hpp>
#include <host/util/shell_word.hpp>

namespace nephron::host {

namespace {

namespace fs = std::filesystem;

struct Options {
  RunsOptions places;
  std::vector<std::string> runs, words;
  std::string run, text;
  bool remove = false, anyway = false;
};

/// Says where a line went that could not go into the run's folder.
void tell(const fs::path& run, const fs::path& file) {
  if (file.parent_path() != run)
    log().info("the folder of " + run.string() + " may not be written: kept for you alone in " + file.string());
}

void tag(const Options& o) {
  const fs::path run = o.places.run(o.run);
  for (const std::string& word : o.words) tell(run, o.remove ? remove_tag(run, word) : add_tag(run, word));
  std::string tags;
  for (const std::string& word : read_labels(run).tags) tags += " " + word;
  print(printable_name(run.string()) + ":" + (tags.empty() ? " no tags" : printable_name(tags)) + "\n");
}

void note(const Options& o) {
  const fs::path run = o.places.run(o.run);
  tell(run, add_note(run, o.text));
}

/// Of the queue; "" where what describes it is damaged, which is no reason to keep a run.
fs::path spool_folder() try { return read_host().spool; } catch (const Error&) {
  return {};
}

/// Those that can go, go; the exit code says that one did not.
int remove(const Options& o) {
  int exit = Exit::done;
  const auto refuse = [&](const Error& e) {
    log().error(std::string(e.what()) + (e.hint().empty() ? "" : "\n  " + e.hint()));
    exit = Exit::failed;
  };
  std::vector<fs::path> runs;
  for (const std::string& name : o.runs) try {
      runs.push_back(fs::canonical(o.places.run(name)));
    } catch (const Error& e) {
      refuse(e);
    }
  const fs::path spool = spool_folder();
  for (const fs::path& run : runs) try {
      // Whoever began with its weights may be in any of the folders, its own among them.
      std::vector<fs::path> roots = o.places.roots();
      roots.push_back(run.parent_path().parent_path());
      if (const auto job = job_in_line_for(spool, run))
        throw Error(run.string() + " stays: job " + *job + " of the queue trains it", "nephron cancel " + *job);
      fs::path to;
      RunIndex::with(roots, [&](const RunIndex& index) { to = move_to_trash(run, index, o.anyway); });
      print(printable_name(run.string()) + " is in the trash; back with: nephron runs restore " +
            shell_word(to.string()) + "\n");
    } catch (const Error& e) {
      refuse(e);
    }
  return exit;
}

void restore_runs(const Options& o) {
  const std::vector<fs::path> roots = o.places.roots();
  if (o.runs.empty()) {
    const std::vector<fs::path> there = runs_in_trash(roots);
    for (const fs::path& run : there) print(printable_name(run.string()) + "\n");
    if (there.empty()) print("the trash is empty\n");
    return;
  }
  for (const std::string& name : o.runs) print(printable_name(restore(name, roots).string()) + " is back\n");
}

constexpr const char* what_names = "A run's folder, its id, NAME@latest or NAME@best";

void add_changes(CLI::App& app, int& exit) {
  CLI::App* const runs = app.get_subcommand("runs");
  const auto command = [&](const char* name, const char* doc) {
    CLI::App* const sub = runs->add_subcommand(name, doc);
    auto o = std::make_shared<Options>();
    o->places.add_to(*sub);
    return std::pair(sub, o);
  };
  {
    const auto [sub, o] = command("tag", "Give a run a tag, a line in its folder");
    sub->add_option("RUN", o->run, what_names)->required();
    sub->add_option("TAG", o->words, "Words without blanks")->required();
    sub->add_flag("--remove", o->remove, "Take it away");
    sub->callback([o = o] { tag(*o); });
  }
  {
    const auto [sub, o] = command("note", "Write a sentence to a run, a line in its folder");
    sub->add_option("RUN", o->run, what_names)->required();
    sub->add_option("TEXT", o->text, "What to remember")->required();
    sub->callback([o = o] { note(*o); });
  }
  {
    const auto [sub, o] = command("rm", "Move runs to the trash of their folder; never one that runs");
    sub->add_option("RUN", o->runs, what_names)->required();
    sub->add_flag("--anyway", o->anyway, "Runs of a sweep too, which then has another result");
    sub->callback([o = o, &exit] { exit = remove(*o); });
  }
  {
    const auto [sub, o] = command("restore", "Bring runs back from the trash; without a name, list it");
    sub->add_option("RUN", o->runs, "Its folder in the trash, or its id");
    sub->callback([o = o] { restore_runs(*o); });
  }
}

}  // namespace

NEPHRON_COMMAND("runs changes", 43, add_changes)  // after the group that they belong to

}  // namespace nephron::host
