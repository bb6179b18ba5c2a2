#pragma once

#include <cstdint>
#include <exception>
#include <memory>

#include <host/model/model.hpp>

#include <host/train/parts.hpp>

namespace nephron::host {

/// Puts a model on a device, its convolution weights channels_last when asked. Before an optimiser is made of it.
void place_model(SegmentationModel& model, c10::Device device, bool channels_last);

/// Its parameters by name, as the optimiser takes them.
NamedTensors named_parameters(const SegmentationModel& model);

}  // namespace nephron::host
