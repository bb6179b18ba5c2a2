#include <host/data/listed_files.hpp>

namespace nephron::host {

std::vector<std::filesystem::path> files_of(const Listing& listing) {
  std::vector<std::filesystem::path> out;
  for (const Listing::Entry& entry : listing.slides()) {
    out.push_back(entry.info.source);
    out.insert(out.end(), entry.info.annotations.begin(), entry.info.annotations.end());
  }
  return out;
}

}  // namespace nephron::host
