#pragma once

#include <string>
#include <vector>

namespace nephron::host {

std::string base64(const std::vector<unsigned char>& bytes);

}  // namespace nephron::host
