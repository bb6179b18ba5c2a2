#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace nephron::host {

/// Writes a new plugin of this kind, from its template, into `folder`, which may not hold these files yet. Gives back
/// the files. Throws UsageError for a name that cannot be a component's.
std::vector<std::filesystem::path> write_new_plugin(const std::string& kind, const std::string& name,
                                                    const std::filesystem::path& folder);

}  // namespace nephron::host
