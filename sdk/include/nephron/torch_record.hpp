#pragma once

#include <cstdint>

namespace nephron::detail {

/// Section "nephron_torch" of a plugin: one a source that includes <nephron/torch.hpp>, so that what is known of its
/// LibTorch does not depend on which source says NEPHRON_PLUGIN.
struct alignas(32) TorchRecord {
  std::uint64_t magic = 0x314e4f524850454eULL;  ///< record_magic of <nephron/plugin.hpp>
  std::uint32_t size = sizeof(TorchRecord);
  std::uint32_t reserved = 0;
  char torch[80] = {};  ///< LibTorch build with its CUDA version, "2.11.0+cu130"
};

}  // namespace nephron::detail
