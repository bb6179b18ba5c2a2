#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <nephron/value.hpp>

namespace nephron::host {

/// Chains of augmentations that have a name: experiments/base/augment-NAME.toml of those that come with nephron.
std::vector<std::string> preset_names();

/// Reads an experiment file for what it names elsewhere; nothing when it is at fault, which was told.
using ReadPreset = std::function<std::optional<Value>(const std::filesystem::path& file, const Source& named_at)>;

/// Replaces the presets that [[augmentation]] and [[batch_augmentation]] of `experiment` name by their links:
/// - `{ preset = "light" }`, a link of the chain: the preset's links take its place;
/// - `{ preset = "light", p = 0.5 }`, and within `of`: one "sequence" of them, which has the p;
/// - `[augmentation] preset = "light"`: the whole chain; what else stands in the table patches its links.
/// A preset is a name, or a file (with '/' or ".toml"), relative to the one that states it. Adds faults.
void expand_presets(Value& experiment, Diagnostics& faults, const ReadPreset& read);

}  // namespace nephron::host
