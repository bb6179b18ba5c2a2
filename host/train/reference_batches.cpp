#include <host/train/reference_batches.hpp>

#include <algorithm>
#include <filesystem>
#include <utility>

#include <nephron/schema.hpp>

#include <host/config/load.hpp>
#include <host/util/counted.hpp>
#include <host/util/log.hpp>
#include <host/util/pages.hpp>

namespace nephron::host {

namespace {

std::int64_t whole(const Value& table, const std::string& key, const std::filesystem::path& file) {
  const Value* const v = table.find(key);
  if (v == nullptr || !v->is(Value::Type::integer) || v->integer() < 1)
    throw Error(file.string() + ": \"" + key + "\" has to be a whole number above 0");
  return v->integer();
}

const Value& table_of(const Value& root, const char* key, const std::filesystem::path& file) {
  const Value* const v = root.find(key);
  if (v == nullptr || !v->is(Value::Type::table)) throw Error(file.string() + " has no [" + key + "]");
  return *v;
}

/// Of the largest batch that this one reaches.
std::int64_t epochs_of(const Value& table, std::int64_t batch, const std::filesystem::path& file) {
  std::int64_t reached = 0, out = 1;
  for (const Value::Member& m : table.table()) {
    const std::int64_t from = std::atoll(m.key.c_str());
    if (from <= batch && from > reached) reached = from, out = whole(table, m.key, file);
  }
  return out;
}

[[noreturn]] void refuse(const Experiment& e, const Value& batches) {
  std::string known;
  for (const Value::Member& m : batches.table()) known += (known.empty() ? "" : ", ") + m.key;
  throw ConfigError({{e.model.encoder.component.source,
                      "--batch reference knows no batch for the encoder \"" + e.model.encoder.component.type + "\"",
                      "it knows " + known + "; give train.batch, train.epochs and train.steps_per_epoch for others"}});
}

}  // namespace

std::vector<std::string> reference_batches(const Experiment& e) {
  const std::filesystem::path file = experiments_folder() / "base" / "reference-batches.toml";
  const Value root = parse_toml(file);
  const Value& batches = table_of(root, "batch", file);
  const std::string& encoder = e.model.encoder.component.type;
  if (batches.find(encoder) == nullptr) refuse(e, batches);
  const std::int64_t divisor = e.data.tile > whole(root, "tile", file) ? 2 : 1;
  const std::int64_t batch = std::max<std::int64_t>(1, whole(batches, encoder, file) / divisor),
                     epochs = epochs_of(table_of(root, "epochs", file), batch, file),
                     steps = std::max<std::int64_t>(e.train.accumulate, whole(root, "samples", file) / batch);
  log().info("of " + encoder + " at " + std::to_string(e.data.tile) + " px: train.batch = " + std::to_string(batch) +
             ", " + counted(epochs, "epoch") + " of " + counted(steps, "batch", "batches") + " (--batch reference)");
  return {"train.batch=" + std::to_string(batch), "train.epochs=" + std::to_string(epochs),
          "train.steps_per_epoch=" + std::to_string(steps)};
}

}  // namespace nephron::host
