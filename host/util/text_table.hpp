#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace nephron::host {

/// Characters of the longest cell of each column.
std::vector<std::size_t> column_widths(const std::vector<std::vector<std::string>>& rows);

/// Rows in aligned columns, two spaces apart; the last column is not padded.
std::string table_text(const std::vector<std::vector<std::string>>& rows);

}  // namespace nephron::host
