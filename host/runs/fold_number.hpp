#pragma once

#include <filesystem>
#include <optional>

namespace nephron::host {

/// K of a folder "fold-K"; nothing for another one.
std::optional<int> fold_number(const std::filesystem::path& folder);

}  // namespace nephron::host
