#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <host/html/chart.hpp>
#include <host/html/escaped.hpp>

namespace nephron::host {

/// A table with a head; cells are HTML already. The first column reads as names, the others as figures.
std::string html_table(const std::vector<std::string>& head, const std::vector<std::vector<std::string>>& rows);

/// A card with title, inline SVG and legend; "" when no series has a point. Values that are not finite are left out.
std::string chart_html(const Chart& chart);

/// A whole page that needs nothing but itself. `title` is text, `body` HTML; `script` is the one that the page may run.
std::string html_page(const std::string& title, const std::string& body, std::string_view script = {});

}  // namespace nephron::host
