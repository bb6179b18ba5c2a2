#include <algorithm>
#include <cmath>
#include <cstdio>

#include <nlohmann/json.hpp>

#include <host/predict/threshold_search.hpp>
#include <host/validate/validate.hpp>

namespace nephron::host {

namespace {

using Json = nlohmann::ordered_json;

Json number(double value) { return std::isfinite(value) ? Json(value) : Json(); }
Json spread(const Spread& s) { return {{"mean", s.mean}, {"deviation", s.deviation}}; }

std::string over_text(PooledOver over) {
  return over == PooledOver::slides ? "slides" : over == PooledOver::pixels ? "pixels" : "objects";
}

Json searched_json(const ThresholdScores& s) {
  return {{"slides", s.curves.size()},
          {"thresholds", searched_thresholds},
          {"mean_dice", s.mean_curve},
          {"best_threshold", searched_thresholds[s.best]},
          {"at_best_threshold", spread(s.at_best)},
          {"at_each_slides_best", spread(s.own_best)},
          {"at_0.5", spread(s.at_half)},
          {"curves", s.curves}};
}

std::string better_text(Better better) {
  return better == Better::higher ? "higher" : better == Better::lower ? "lower" : "neither";
}

std::string class_name(const ValidateOutcome& out, int c) {
  return c < 0 ? "all" : out.classes.at(static_cast<std::size_t>(c));
}

std::string printed(const char* format, double value) {
  if (!std::isfinite(value)) return "-";
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

std::string with_spread(const Spread& s) { return printed("%.4f", s.mean) + " +- " + printed("%.4f", s.deviation); }

std::string columns(std::vector<std::vector<std::string>> rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string out;
  for (auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      row[i].resize(widths[i], ' ');
      line += (i > 0 ? "  " : "") + row[i];
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

}  // namespace

std::string ValidateOutcome::json() const {
  Json out{{"run", run.string()},    {"folds", folds},       {"checkpoint", checkpoint},
           {"precision", precision}, {"tta", tta},           {"classes", classes},
           {"exclusive", exclusive}, {"complete", complete}, {"thresholds", Json::object()},
           {"metrics", metrics}};
  for (std::size_t c = 0; c < classes.size() && !exclusive; ++c) out["thresholds"][classes[c]] = thresholds[c];
  if (!exclusive) out["threshold_from"] = threshold_from;
  out["objects"] = {{"least_area", objects.least_area}, {"fill_holes", objects.fill_holes}};
  out["measured_by"] = Json::array();
  for (const MetricOrigin& m : origins)
    out["measured_by"].push_back(
        {{"metric", m.name}, {"plugin", m.plugin}, {"version", m.version}, {"parameters", m.parameters}});
  out["dice_by_threshold"] = Json::object();
  for (std::size_t c = 0; c < searched.size(); ++c) out["dice_by_threshold"][classes[c]] = searched_json(searched[c]);
  out["values"] = Json::array();
  for (const PooledValue& v : values)
    out["values"].push_back({{"metric", v.metric},
                             {"name", v.value.name},
                             {"class", v.value.class_index < 0 ? Json() : Json(class_name(*this, v.value.class_index))},
                             {"better", better_text(v.value.better)},
                             {"value", number(v.value.value)},
                             {"pooled_over", over_text(v.value.over)},
                             {"slides", v.slides},
                             {"mean", v.slides > 0 ? number(v.over_slides.mean) : Json()},
                             {"deviation", v.slides > 0 ? number(v.over_slides.deviation) : Json()}});
  out["curves"] = Json::array();
  for (const PooledCurve& c : curves) {
    Json points = Json::array();
    for (const Point& p : c.curve.points)
      if (std::isfinite(p.x) && std::isfinite(p.y)) points.push_back({p.x, p.y});
    out["curves"].push_back(
        {{"metric", c.metric},
         {"name", c.curve.name},
         {"class", c.curve.class_index < 0 ? Json() : Json(classes.at(static_cast<std::size_t>(c.curve.class_index)))},
         {"x", c.curve.x_label},
         {"y", c.curve.y_label},
         {"points", std::move(points)}});
  }
  out["slides"] = Json::array();
  for (const SlideRow& row : slides)
    out["slides"].push_back({{"slide", row.measures.slide.id},
                             {"dataset", row.measures.slide.group},
                             {"donor", row.donor.empty() ? Json() : Json(row.donor)},
                             {"fold", row.fold},
                             {"picture_sha256", row.picture.empty() ? Json() : Json(row.picture)},
                             {"truth_sha256", row.truth.empty() ? Json() : Json(row.truth)}});
  out["failures"] = failures;
  return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string ValidateOutcome::table() const {
  std::string out;
  if (!searched.empty()) {
    std::vector<std::vector<std::string>> rows{
        {"Dice", "slides", "best threshold", "mean there", "each slide's best", "at 0.5"}};
    for (std::size_t c = 0; c < searched.size(); ++c)
      rows.push_back({classes[c], std::to_string(searched[c].curves.size()),
                      printed("%.2f", searched_thresholds[searched[c].best]), with_spread(searched[c].at_best),
                      with_spread(searched[c].own_best), with_spread(searched[c].at_half)});
    out +=
        columns(std::move(rows)) + "The threshold, and each slide's own, were chosen on these slides: optimistic.\n\n";
  }
  std::vector<std::vector<std::string>> rows{{"value", "class", "pooled", "over", "mean of slides", "slides"}};
  for (const PooledValue& v : values)
    rows.push_back({v.value.name, class_name(*this, v.value.class_index), printed("%.4f", v.value.value),
                    over_text(v.value.over), v.slides > 0 ? with_spread(v.over_slides) : "-",
                    std::to_string(v.slides)});
  return out + columns(std::move(rows));
}

}  // namespace nephron::host
