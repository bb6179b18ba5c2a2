#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace nephron {

/// A key that stands in an experiment's table of a component beside the component's own parameters, and that the host
/// reads: `weight` of a loss, `share` of a dataset. A parameter of the same name could never be given.
struct ExperimentKey {
  std::string_view kind;  ///< empty: all kinds
  std::string_view name;
};

inline constexpr std::array experiment_keys{
    ExperimentKey{"", "type"},
    ExperimentKey{"dataset", "name"},
    ExperimentKey{"dataset", "share"},
    ExperimentKey{"dataset", "hold_out"},
    ExperimentKey{"augmentation", "p"},
    ExperimentKey{"augmentation", "of"},
    ExperimentKey{"augmentation", "preset"},
    ExperimentKey{"batch_augmentation", "p"},
    ExperimentKey{"batch_augmentation", "of"},
    ExperimentKey{"encoder", "weights"},
    ExperimentKey{"encoder", "strict"},
    ExperimentKey{"loss", "weight"},
    ExperimentKey{"loss", "schedule"},
};

/// Whether no component of this kind may have a parameter of this name.
constexpr bool is_experiment_key(std::string_view kind, std::string_view name) {
  return std::any_of(experiment_keys.begin(), experiment_keys.end(), [&](const ExperimentKey& key) {
    return (key.kind.empty() || key.kind == kind) && key.name == name;
  });
}

}  // namespace nephron
