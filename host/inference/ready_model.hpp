#pragma once

#include <functional>
#include <memory>
#include <optional>

#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include <host/model/model.hpp>

// A trained model made fast for inference. Nothing says in which order a plugin runs its layers, so that a small
// picture is asked after each stage, and a stage that changes the answer by more than a bound is left out.
namespace nephron::host {

/// What was done to a model.
struct ReadyModel {
  std::shared_ptr<SegmentationModel> model;
  bool folded = false;    ///< batch normalisations are in the convolutions
  bool packed = false;    ///< weights are packed, and convolutions joined with what follows them (CPU)
  bool filtered = false;  ///< 3x3 convolutions are computed by minimal filtering (CPU)
};

/// The most that a stage may change a probability of the small picture, in fp32. In bf16 a packed model may be twice as
/// far from fp32 as it is unpacked, on average over the picture.
constexpr double most_change = 2e-5;

/// `load`: gives the model, in evaluation mode on `device`; called again when a stage has to be undone. `lower`: what
/// convolutions compute in; none: fp32.
ReadyModel made_ready(const std::function<std::shared_ptr<SegmentationModel>()>& load, c10::Device device,
                      std::optional<c10::ScalarType> lower);

}  // namespace nephron::host
