#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <host/config/components.hpp>
#include <host/config/experiment.hpp>

namespace nephron::host {

/// Keys that say how fast training goes and where things lie, but not what it gives; those of a run that goes on may be
/// others. A new key of experiment.hpp that is such a one is named here too.
const std::vector<std::string>& keys_without_effect_on_results();

/// Whether a key of an experiment tells what was tried: not how it is called, its seed, or what changes no result.
bool is_of_recipe(std::string_view key);

/// Throws ConfigError that names every key in which `now` differs from `before` and that is none of those. `hint`: what
/// to do instead.
void require_same_results(const Experiment& before, const Experiment& now, const Components& components,
                          const std::string& hint);

}  // namespace nephron::host
