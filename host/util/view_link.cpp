#include <host/util/view_link.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace nephron::host {

namespace {

// Two screen pixels a pixel of the slide at most, as the viewer's own list of objects goes to one.
constexpr double farthest = -20, nearest = 1;

/// As a part of a query: what is no letter, digit or -._ is %XX.
std::string percent_encoded(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
    char code[4];
    std::snprintf(code, sizeof code, "%%%02X", static_cast<unsigned>(static_cast<unsigned char>(c)));
    out += plain ? std::string(1, c) : std::string(code);
  }
  return out;
}

}  // namespace

std::string view_link(const std::string& slide, double x, double y, double length, double screen) {
  const double zoom = std::floor(std::log2(screen / std::max(1.0, length)));
  char place[96];
  std::snprintf(place, sizeof place, "&x=%.1f&y=%.1f&z=%d", x, y,
                static_cast<int>(std::clamp(zoom, farthest, nearest)));
  return "#slide=" + percent_encoded(slide) + place;
}

}  // namespace nephron::host
