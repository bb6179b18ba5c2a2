#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include <host/model/model.hpp>

namespace nephron::host {

/// Writes a model in evaluation mode on a CPU as TorchScript: [N, channels, side, side] -> logits. What is written is
/// the sequence of operators that one picture took, with the weights in it; it is asked for two other pictures before,
/// and compared with the model. Gives why there is no such file; nothing where all went well.
std::optional<std::string> write_torchscript(SegmentationModel& model, std::int64_t channels, std::int64_t side,
                                             const std::filesystem::path& file);

}  // namespace nephron::host
