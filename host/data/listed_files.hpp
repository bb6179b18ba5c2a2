#pragma once

#include <filesystem>
#include <vector>

#include <host/data/listing.hpp>

namespace nephron::host {

/// Every file that the slides of a listing are read from, annotations included: what no command may replace.
std::vector<std::filesystem::path> files_of(const Listing& listing);

}  // namespace nephron::host
