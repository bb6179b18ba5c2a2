#include <nephron/dataset_check.hpp>
#include <nephron/parameter_check.hpp>

namespace nephron {

ParameterFaults::~ParameterFaults() = default;
ParameterCheck::~ParameterCheck() = default;
DatasetFindings::~DatasetFindings() = default;
DatasetCheck::~DatasetCheck() = default;

void ParameterFaults::require_folder(std::string_view key, const std::filesystem::path& folder,
                                     const std::string& hint) {
  std::error_code unknown;
  if (std::filesystem::is_directory(folder, unknown)) return;
  const bool there = std::filesystem::exists(folder, unknown);
  add(key,
      "\"" + std::string(key) + "\" names " + (there ? "what is no folder: " : "a folder that is not there: ") +
          folder.string(),
      hint);
}

std::string names_of(const std::vector<std::string>& names, std::size_t most) {
  std::string out;
  for (std::size_t i = 0; i < names.size() && i < most; ++i) (out += out.empty() ? "\"" : ", \"") += names[i] + "\"";
  if (names.size() > most) out += " and " + std::to_string(names.size() - most) + " more";
  return out;
}

}  // namespace nephron
