#include <host/report/figures.hpp>

#include <algorithm>

#include <host/html/html.hpp>

namespace nephron::host {

std::string with_bar(double share) {
  return "<span class=\"bar\"><i style=\"width:" + figure(100 * std::clamp(share, 0.0, 1.0), "%.1f") +
         "%\"></i></span>" + figure(share);
}

std::string tile(const std::string& value, const std::string& what) {
  return "<div class=\"tile\"><b>" + escaped(value) + "</b><span>" + escaped(what) + "</span></div>";
}

}  // namespace nephron::host
