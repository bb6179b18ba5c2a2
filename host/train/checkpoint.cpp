#include <host/train/checkpoint.hpp>

#include <limits>
#include <set>
#include <stdexcept>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include <nephron/error.hpp>

#include <host/runs/checkpoint_digests.hpp>
#include <host/train/checkpoint_files.hpp>
#include <host/util/checked_json.hpp>
#include <host/util/log.hpp>
#include <host/util/shell_word.hpp>

namespace nephron::host {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

constexpr const char* weights_name = "weights.safetensors";
constexpr const char* state_name = "state.safetensors";
constexpr const char* average_name = "average.safetensors";
constexpr const char* format = "nephron-training-state-1";

Json to_json(const TrainProgress& p) {
  return {{"format", format},
          {"step", p.step},
          {"epoch", p.epoch},
          {"step_in_epoch", p.step_in_epoch},
          {"epoch_loss", p.epoch_loss},
          {"best_dice", p.best_dice},
          {"best_step", p.best_step},
          {"best_epoch", p.best_epoch},
          {"since_best", p.since_best},
          {"last_dice", p.last_dice},
          {"last_val_loss", p.last_val_loss},
          {"seconds", p.seconds},
          {"finished", p.finished},
          {"averaged", p.averaged},
          {"average_dice", p.average_dice},
          {"plateau",
           {{"factor", p.plateau.factor},
            {"best", p.plateau.best},
            {"bad", p.plateau.bad},
            {"cooldown", p.plateau.cooldown}}},
          {"best_dice_of", p.best_dice_of},
          {"last_dice_of", p.last_dice_of},
          {"average_dice_of", p.average_dice_of},
          {"validated_on", p.validated_on}};
}

/// Where a fold may stand at all, whatever it is trained for.
constexpr std::int64_t most_steps = std::int64_t{1} << 50;

std::vector<double> dice_list(const JsonNode& j, const char* key) {
  std::vector<double> out;
  if (const auto list = j.find(key))
    for (const JsonNode& value : list->items()) out.push_back(dice_of_class(value));
  return out;
}

/// What checkpoints of earlier versions lack.
void take_what_came_later(const JsonNode& j, TrainProgress& p) {
  if (const auto averaged = j.find("averaged")) p.averaged = averaged->integer(0, p.step);
  if (const auto dice = j.find("average_dice")) p.average_dice = dice->number(-1, 1);
  if (const auto plateau = j.find("plateau")) {
    p.plateau.factor = plateau->at("factor").number(0, 1);
    p.plateau.best = plateau->at("best").number(-1, 1);
    p.plateau.bad = plateau->at("bad").integer(0, p.epoch);
    p.plateau.cooldown = plateau->at("cooldown").integer(0, most_steps);
  }
  p.best_dice_of = dice_list(j, "best_dice_of");
  p.last_dice_of = dice_list(j, "last_dice_of");
  p.average_dice_of = dice_list(j, "average_dice_of");
  if (const auto on = j.find("validated_on")) p.validated_on = on->text();
}

}  // namespace

double dice_of_class(const JsonNode& json) {
  return json.raw().is_null() ? std::numeric_limits<double>::quiet_NaN() : json.number(0, 1);
}

TrainProgress progress_of(const JsonNode& j, const TrainLengths& lengths) {
  if (const JsonNode told = j.at("format"); told.text() != format)
    told.refuse("is \"" + told.text() + "\"; this nephron goes on from \"" + format + "\"");
  const auto count = [&](const char* key, std::int64_t most) { return j.at(key).integer(0, most); };
  TrainProgress p;
  p.epoch = count("epoch", lengths.epochs);
  p.step_in_epoch = count("step_in_epoch", lengths.steps_per_epoch);
  const JsonNode step = j.at("step");
  p.step = step.integer(0, most_steps);
  if (const std::int64_t due = p.epoch * lengths.steps_per_epoch + p.step_in_epoch; p.step != due)
    step.refuse("is " + std::to_string(p.step) + ", but its epochs have " + std::to_string(due));
  p.epoch_loss = j.at("epoch_loss").number();
  p.best_dice = j.at("best_dice").number(-1, 1);
  p.best_step = count("best_step", p.step);
  p.best_epoch = count("best_epoch", p.epoch);
  p.since_best = count("since_best", p.epoch);
  p.last_dice = j.at("last_dice").number(-1, 1);
  p.last_val_loss = j.at("last_val_loss").number();
  p.seconds = j.at("seconds").number(0, 1e12);
  p.finished = j.at("finished").boolean() || p.epoch == lengths.epochs;
  take_what_came_later(j, p);
  return p;
}

/// JSON has no word for NaN, which a broken run may well hold.
std::string progress_text(TrainProgress progress) {
  const auto finite = [](double v) { return v == v && v - v == 0 ? v : -1; };
  progress.epoch_loss = finite(progress.epoch_loss);
  progress.last_val_loss = finite(progress.last_val_loss);
  return to_json(progress).dump();
}

namespace {

void sync(const fs::path& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;  // a disk that cannot is no error
  ::fsync(fd);
  ::close(fd);
}

/// Removes the files of a checkpoint, finished or not, and its folder: what somebody put there besides stays, and links
/// are not followed. What cannot be removed is only in the way.
void remove_checkpoint(const fs::path& folder) {
  std::error_code ignored;
  if (fs::symlink_status(folder, ignored).type() != fs::file_type::directory) return;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    const bool ours = name.starts_with(weights_name) || name.starts_with(state_name) ||
                      name.starts_with(average_name) || name.starts_with(checkpoint_digests_name);
    if (ours && entry.symlink_status(ignored).type() == fs::file_type::regular) fs::remove(entry.path(), ignored);
  }
  fs::remove(folder, ignored);
}

/// A new folder with its files; hidden until it is complete.
fs::path write_folder(const FoldFolder& fold, const std::string& name, const torch::nn::Module& model,
                      const TensorMap& state, const TrainProgress& progress, const TensorMap& average) {
  const fs::path parent = fold.checkpoints();
  fs::create_directories(parent);
  const fs::path hidden = parent / (".tmp." + std::to_string(::getpid()));
  remove_checkpoint(hidden);
  fs::create_directory(hidden);
  const std::string text = progress_text(progress);
  try {
    write_tensors(hidden / weights_name, state_dict(model),
                  {{"format", "pt"}, {"step", std::to_string(progress.step)}});
    if (!average.empty())
      write_tensors(
          hidden / average_name, average,
          {{"format", "pt"}, {"step", std::to_string(progress.step)}, {"averaged", std::to_string(progress.averaged)}});
    write_tensors(hidden / state_name, state, {{"format", "pt"}, {"progress", text}});
    write_checkpoint_digests(hidden);
  } catch (...) {  // a half of a checkpoint is of no use, and on a full disk in the way
    remove_checkpoint(hidden);
    throw;
  }
  fs::path folder = parent / name;
  for (int n = 2; fs::exists(folder); ++n) folder = parent / (name + "." + std::to_string(n));
  fs::rename(hidden, folder);
  sync(parent);
  return folder;
}

/// Points a link elsewhere, atomically: a new link is renamed over the old one.
void point(const fs::path& link, const fs::path& folder) {
  const fs::path fresh = link.string() + ".tmp." + std::to_string(::getpid());
  fs::remove(fresh);
  fs::create_directory_symlink(folder.filename(), fresh);
  fs::rename(fresh, link);
}

/// Checkpoints that no link names, and links that a killed process had not yet renamed.
void remove_unnamed(const fs::path& parent) {
  std::vector<fs::path> links;
  for (const auto& entry : fs::directory_iterator(parent))
    if (entry.is_symlink() && entry.path().filename().string().find(".tmp.") != std::string::npos)
      links.push_back(entry.path());
  for (const fs::path& link : links) fs::remove(link);
  std::set<fs::path> named;
  for (const auto& entry : fs::directory_iterator(parent))
    if (entry.is_symlink()) named.insert(fs::read_symlink(entry.path()));
  for (const auto& entry : fs::directory_iterator(parent)) {
    const std::string name = entry.path().filename().string();
    const bool ours = name.starts_with("step-") || name.starts_with(".tmp.");
    if (ours && !named.contains(name)) remove_checkpoint(entry.path());
  }
}

}  // namespace

bool forget_other_measure(TrainProgress& progress, const std::string& how) {
  if (progress.validated_on == how) return false;
  progress.validated_on = how;
  const bool known = progress.last_dice >= 0;
  progress.best_dice = progress.last_dice = progress.average_dice = -1;
  progress.best_dice_of.clear(), progress.last_dice_of.clear(), progress.average_dice_of.clear();
  progress.best_step = progress.best_epoch = progress.since_best = 0;
  progress.plateau.best = -1;
  progress.plateau.bad = 0;
  return known;
}

std::size_t checkpoint_bytes(const torch::nn::Module& model, const TensorMap& optimizer_state) {
  std::size_t bytes = 1 << 20;
  for (const auto& [name, tensor] : optimizer_state) bytes += tensor.nbytes();
  for (const auto& [name, tensor] : state_dict(model)) bytes += tensor.nbytes();
  return bytes;
}

void save_checkpoint(const FoldFolder& fold, const torch::nn::Module& model, const TensorMap& state,
                     const TrainProgress& progress, bool best, const TensorMap& average) try {
  const fs::path folder = write_folder(fold, "step-" + std::to_string(progress.step), model, state, progress, average);
  const fs::path last = fold.checkpoints() / "last";
  std::error_code none;
  if (const fs::path before = fs::read_symlink(last, none); !none && before != folder.filename())
    point(fold.checkpoints() / "previous", before);
  // `best` first: a kill in between leaves a `last` that finds the better Dice once more.
  if (best) point(fold.checkpoints() / "best", folder);
  point(last, folder);
  sync(fold.checkpoints());
  remove_unnamed(fold.checkpoints());
} catch (const std::runtime_error& e) {  // of the file system, or of writing the tensors
  throw Error("the checkpoint of step " + std::to_string(progress.step) + " is not written: " + e.what());
}

fs::path save_aside(const FoldFolder& fold, const std::string& name, const torch::nn::Module& model,
                    const TensorMap& state, const TrainProgress& progress) try {
  return write_folder(fold, name, model, state, progress, {});
} catch (const std::runtime_error& e) {
  throw Error("the checkpoint " + name + " is not written: " + e.what());
}

namespace {

/// Hints about files of strangers, such as how to write them anew in Python, help nobody with a file of a run.
template <class Work>
auto without_hint(const Work& work) {
  try {
    return work();
  } catch (const Error& e) {
    throw Error(e.what());
  }
}

/// Damage to the numbers of a file leaves it one that can be read.
void require_whole(const fs::path& folder) {
  for (const char* name : {state_name, weights_name, average_name})
    if (fs::exists(folder / name)) without_hint([&] { require_as_written(folder / name); });
}

TrainProgress load(const fs::path& folder, torch::nn::Module& model, const TrainLengths& lengths,
                   const std::function<void(const SavedTensors&)>& take_state) {
  const fs::path weights = folder / weights_name, state_file = folder / state_name;
  require_whole(folder);
  std::map<std::string, std::string> metadata;
  SavedTensors saved;
  saved.state = without_hint([&] { return read_tensors(state_file, &metadata); });
  const auto text = metadata.find("progress");
  if (text == metadata.end()) throw Error(state_file.string() + " does not say how far training was");
  const TrainProgress progress = progress_of(JsonNode::parse(text->second, state_file.string()), lengths);
  if (progress.averaged > 0) saved.average = without_hint([&] { return read_tensors(folder / average_name); });
  without_hint([&] { return apply_weights(model, read_tensors(weights), /*strict=*/true, weights.string()); });
  try {
    take_state(saved);
  } catch (const Error& e) {
    throw Error(state_file.string() + ": " + e.what());
  }
  return progress;
}

/// What a fold that cannot go on is still good for: "last" or "best" weights that are whole; "" when there are none.
std::string whole_weights(const FoldFolder& fold) {
  for (const char* which : {"last", "best"}) try {
      require_as_written(fold.weights(which));
      read_tensors(fold.weights(which));
      return which;
    } catch (const Error&) {  // the next
    }
  return {};
}

std::string what_can_be_done(const FoldFolder& fold, const std::string& before) {
  const std::string text = before + " Put the file back from a copy of the run";
  const std::string which = whole_weights(fold);
  if (which.empty()) return text + ", or begin a new run: no weights of this fold are whole.";
  return text + ", or begin a new run with the " + which + " weights, which are whole: nephron train EXP.toml --from " +
         shell_word(fold.folder.string()) + (which == "last" ? "" : " --checkpoint " + which);
}

}  // namespace

void require_checkpoint_files(const FoldFolder& fold) {
  if (!fold.begun()) return;
  const auto gone = [&](const char* which) {
    for (const char* name : {weights_name, state_name})
      if (const fs::path file = fold.checkpoints() / which / name; !fs::exists(file)) return file;
    return fs::path();
  };
  const fs::path missing = gone("last");
  if (missing.empty() || gone("previous").empty()) return;
  throw Error("fold " + std::to_string(fold.fold) + " cannot go on: " + missing.string() + " is gone",
              what_can_be_done(fold, "There is no checkpoint before it."));
}

TrainProgress load_checkpoint(const FoldFolder& fold, torch::nn::Module& model, const TrainLengths& lengths,
                              const std::function<void(const SavedTensors&)>& take_state) {
  const fs::path last = fold.checkpoints() / "last", previous = fold.checkpoints() / "previous";
  std::error_code none;
  const fs::path behind = fs::read_symlink(previous, none);
  try {
    return load(last, model, lengths, take_state);
  } catch (const Error& damaged) {
    if (none) throw Error(damaged.what(), what_can_be_done(fold, "There is no checkpoint before it."));
    try {
      const TrainProgress progress = load(previous, model, lengths, take_state);
      log().warning(std::string(damaged.what()) + "\n  going on from the checkpoint before, of step " +
                    std::to_string(progress.step));
      point(last, behind);
      return progress;
    } catch (const Error&) {  // the same fault, or one more: the first is what a person must know
      throw Error(damaged.what(), what_can_be_done(fold, "The checkpoint before it (" + previous.string() +
                                                             ") cannot be gone on from either."));
    }
  }
}

}  // namespace nephron::host
