#include <nlohmann/json.hpp>

#include <host/metrics/pooled_values.hpp>
#include <host/predict/threshold_search.hpp>
#include <host/util/fixed_number.hpp>
#include <host/util/text_table.hpp>
#include <host/validate/validate.hpp>

namespace nephron::host {

namespace {

using Json = nlohmann::ordered_json;

Json spread(const Spread& s) { return {{"mean", s.mean}, {"deviation", s.deviation}}; }

Json crossed_json(const CrossFitted& crossed) {
  Json out = spread(crossed.dice);
  for (const auto& [fold, index] : crossed.thresholds)
    out["thresholds"][std::to_string(fold)] = searched_thresholds[index];
  return out;
}

Json searched_json(const ThresholdScores& s) {
  return {{"slides", s.curves.size()},
          {"thresholds", searched_thresholds},
          {"mean_dice", s.mean_curve},
          {"best_threshold", searched_thresholds[s.best]},
          {"at_best_threshold", spread(s.at_best)},
          {"at_each_slides_best", spread(s.own_best)},
          {"at_0.5", spread(s.at_half)},
          {"at_other_folds_best", s.crossed ? crossed_json(*s.crossed) : Json()},
          {"curves", s.curves}};
}

}  // namespace

std::string ValidateOutcome::json() const {
  Json out{{"run", run.string()},    {"folds", folds},       {"checkpoint", checkpoint},
           {"precision", precision}, {"tta", tta},           {"classes", classes},
           {"exclusive", exclusive}, {"complete", complete}, {"thresholds", Json::object()},
           {"metrics", metrics}};
  out["weights"] = Json::object();
  for (const auto& [fold, step] : weights) out["weights"][std::to_string(fold)] = step;
  for (std::size_t c = 0; c < classes.size() && !exclusive; ++c) out["thresholds"][classes[c]] = thresholds[c];
  if (!exclusive) out["threshold_from"] = threshold_from;
  out["objects"] = {{"least_area", objects.least_area}, {"fill_holes", objects.fill_holes}};
  out["measured_by"] = Json::array();
  for (const MetricOrigin& m : origins)
    out["measured_by"].push_back(
        {{"metric", m.name}, {"plugin", m.plugin}, {"version", m.version}, {"parameters", m.parameters}});
  out["dice_by_threshold"] = Json::object();
  for (std::size_t c = 0; c < searched.size(); ++c)
    if (!searched[c].curves.empty()) out["dice_by_threshold"][classes[c]] = searched_json(searched[c]);
  out["values"] = values_json(values, classes);
  out["curves"] = curves_json(curves, classes);
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
        {"Dice", "slides", "best threshold", "mean there", "each slide's best", "at 0.5", "at other folds' best"}};
    for (std::size_t c = 0; c < searched.size(); ++c) {
      const ThresholdScores& s = searched[c];
      if (s.curves.empty()) rows.push_back({classes[c], "0", "-", "-", "-", "-", "-"});
      else
        rows.push_back({classes[c], std::to_string(s.curves.size()), fixed_number(searched_thresholds[s.best], 2),
                        spread_text(s.at_best), spread_text(s.own_best), spread_text(s.at_half),
                        s.crossed ? spread_text(s.crossed->dice) : "-"});
    }
    out += table_text(rows) +
           "The best threshold, and each slide's own, were chosen on these slides: optimistic. Nothing chose 0.5, and "
           "the\nlast is each fold's at the threshold that the other folds choose: neither flatters.\n\n";
  }
  return out + table_text(value_rows(values, classes));
}

}  // namespace nephron::host
