#include <host/metrics/pooled_values.hpp>

#include <cmath>

#include <nlohmann/json.hpp>

#include <host/util/fixed_number.hpp>

namespace nephron::host {

namespace {

using Json = nlohmann::ordered_json;

Json number(double value) { return std::isfinite(value) ? Json(value) : Json(); }

const char* word_of(PooledOver over) {
  return over == PooledOver::slides ? "slides" : over == PooledOver::pixels ? "pixels" : "objects";
}

const char* word_of(Better better) {
  return better == Better::higher ? "higher" : better == Better::lower ? "lower" : "neither";
}

Json class_json(int c, const std::vector<std::string>& classes) {
  return c < 0 ? Json() : Json(classes.at(static_cast<std::size_t>(c)));
}

}  // namespace

Json values_json(const std::vector<PooledValue>& values, const std::vector<std::string>& classes) {
  Json out = Json::array();
  for (const PooledValue& v : values) {
    out.push_back({{"metric", v.metric},
                   {"name", v.value.name},
                   {"class", class_json(v.value.class_index, classes)},
                   {"better", word_of(v.value.better)},
                   {"value", number(v.value.value)},
                   {"pooled_over", word_of(v.value.over)},
                   {"slides", v.slides},
                   {"mean", v.slides > 0 ? number(v.over_slides.mean) : Json()},
                   {"deviation", v.slides > 0 ? number(v.over_slides.deviation) : Json()}});
  }
  return out;
}

Json curves_json(const std::vector<PooledCurve>& curves, const std::vector<std::string>& classes) {
  Json out = Json::array();
  for (const PooledCurve& c : curves) {
    Json points = Json::array();
    for (const Point& p : c.curve.points)
      if (std::isfinite(p.x) && std::isfinite(p.y)) points.push_back({p.x, p.y});
    out.push_back({{"metric", c.metric},
                   {"name", c.curve.name},
                   {"class", class_json(c.curve.class_index, classes)},
                   {"x", c.curve.x_label},
                   {"y", c.curve.y_label},
                   {"points", std::move(points)}});
  }
  return out;
}

std::vector<std::vector<std::string>> value_rows(const std::vector<PooledValue>& values,
                                                 const std::vector<std::string>& classes) {
  std::vector<std::vector<std::string>> rows{{"value", "class", "pooled", "over", "mean of slides", "slides"}};
  for (const PooledValue& v : values) {
    const int c = v.value.class_index;
    rows.push_back({v.value.name, c < 0 ? "all" : classes.at(static_cast<std::size_t>(c)),
                    fixed_number(v.value.value, 4), word_of(v.value.over),
                    v.slides > 0 ? spread_text(v.over_slides) : "-", std::to_string(v.slides)});
  }
  return rows;
}

std::string spread_text(const Spread& s) { return fixed_number(s.mean, 4) + " +- " + fixed_number(s.deviation, 4); }

}  // namespace nephron::host
