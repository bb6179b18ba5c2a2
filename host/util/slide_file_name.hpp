#pragma once

#include <string>

namespace nephron::host {

/// A file name for whatever a dataset calls its slides.
std::string file_name_of_slide(const std::string& id);

}  // namespace nephron::host
