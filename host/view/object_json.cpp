#include <cmath>
#include <cstdio>

#include <nlohmann/json.hpp>
#include <opencv2/imgproc.hpp>

#include <host/view/object_set.hpp>

namespace nephron::host {

namespace {

constexpr double tolerance = 0.7;  // px that a simplified outline may leave the object's

/// "[x,y,dx,dy,...]" of a ring with fewer vertices.
void add_ring(std::string& out, const std::vector<Point>& ring, double unit) {
  if (ring.empty()) {
    out += "[]";
    return;
  }
  std::vector<cv::Point2f> vertices, fewer;
  const double x0 = ring.front().x, y0 = ring.front().y;  // floats are exact near the first vertex
  vertices.reserve(ring.size());
  for (const Point& p : ring) vertices.emplace_back(static_cast<float>(p.x - x0), static_cast<float>(p.y - y0));
  if (vertices.size() > 1 && vertices.front() == vertices.back()) vertices.pop_back();
  if (vertices.size() > 3) cv::approxPolyDP(vertices, fewer, tolerance, true);
  if (fewer.size() < 3) fewer = vertices;
  out += '[';
  std::int64_t x = 0, y = 0;
  for (std::size_t i = 0; i < fewer.size(); ++i) {
    const std::int64_t nx = std::llround((x0 + static_cast<double>(fewer[i].x)) / unit),
                       ny = std::llround((y0 + static_cast<double>(fewer[i].y)) / unit);
    if (i > 0) out += ',';
    out += std::to_string(nx - x) + ',' + std::to_string(ny - y);
    x = nx, y = ny;
  }
  out += ']';
}

std::string figure(double value) {
  if (value < 0) return "null";
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", value);
  return text;
}

}  // namespace

std::string json_of(const ObjectSet& set) {
  const auto dumped = [](const auto& value) {
    return nlohmann::json(value).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  };
  std::string out = "{\"classes\":" + dumped(set.classes) + ",\"unit\":" + dumped(set.unit) +
                    ",\"notes\":" + dumped(set.notes) + ",\"objects\":[";
  for (std::size_t i = 0; i < set.objects.size(); ++i) {
    const ViewObject& object = set.objects[i];
    out += (i > 0 ? ",\n[" : "\n[") + std::to_string(object.class_index) + ',' + figure(object.confidence) + ',' +
           figure(object.iou) + ',' + std::to_string(object.pixels) + ",[";
    for (std::size_t p = 0; p < object.parts.size(); ++p) {
      out += p > 0 ? ",[" : "[";
      for (std::size_t r = 0; r < object.parts[p].size(); ++r) {
        if (r > 0) out += ',';
        add_ring(out, object.parts[p][r], set.unit);
      }
      out += ']';
    }
    out += "]]";
  }
  return out + "\n]}\n";
}

}  // namespace nephron::host
