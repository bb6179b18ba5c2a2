#pragma once

#include <string>
#include <vector>

namespace nephron::host {

/// Rows in aligned columns, two spaces apart; the last column is not padded.
std::string table_text(const std::vector<std::vector<std::string>>& rows);

}  // namespace nephron::host
