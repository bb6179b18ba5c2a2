#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <host/config/experiment.hpp>
#include <host/train/parts.hpp>

namespace nephron::host {

/// Parameters that are updated alike.
struct ParameterGroup {
  std::string name;  ///< for people; groups that differ in their layer alone share it
  double lr_factor = 1;
  double weight_decay = 0;
  NamedTensors parameters = {};
};

/// Splits a network's parameters by [[train.group]] (the first pattern that names one counts), by the layers of the
/// encoder, and by whether weight decay holds for them. Throws Error for a pattern that names nothing, or nothing that
/// the groups before it leave, and for a decay by layer of an encoder that has one layer.
std::vector<ParameterGroup> parameter_groups(const TrainConfig& config, const NamedTensors& parameters);

/// One line a name: tensors, values, rate, weight decay; empty for a single group.
std::string groups_text(const std::vector<ParameterGroup>& groups);

/// The layer of the encoder that each parameter belongs to, from 0; -1 outside of the encoder. A layer is a block,
/// which a number in the name tells (encoder.layer2.0, encoder._blocks.5), or what lies between blocks: stem,
/// reductions, last normalisation.
std::vector<int> encoder_layers(const NamedTensors& parameters);

}  // namespace nephron::host
