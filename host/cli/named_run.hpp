#pragma once

#include <filesystem>

#include <host/runs/run.hpp>
#include <host/util/as_usage.hpp>

namespace nephron::host {

/// Throws UsageError where there is neither such a folder nor a run of that name (docs/runs.md).
inline void require_named_run(const std::filesystem::path& run) {
  if (!std::filesystem::exists(run)) as_usage([&] { return RunFolder::open(run); });
}

}  // namespace nephron::host
