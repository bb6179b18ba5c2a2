#include <cmath>

#include <nlohmann/json.hpp>

#include <host/compare/comparison.hpp>
#include <host/compare/words.hpp>

namespace nephron::host {

namespace {

using Json = nlohmann::ordered_json;

Json number(double v) { return std::isfinite(v) ? Json(v) : Json(); }
template <class T>
Json optional_json(const std::optional<T>& v) {
  return v ? Json(*v) : Json();
}
Json interval_json(const Interval& i) { return Json::array({number(i.low), number(i.high)}); }

Json objections_json(const std::vector<Objection>& objections) {
  Json out = Json::array();
  for (const Objection& o : objections) out.push_back({{"key", o.key}, {"reason", o.text}});
  return out;
}

Json recipe_json(const RecipeFinding& r) {
  return {{"interval", interval_json(r.interval)},
          {"p", number(r.p)},
          {"degrees_of_freedom", number(r.freedom)},
          {"variance", {{"donors", r.of_donors}, {"seeds", r.of_seeds}, {"rest", r.of_rest}}}};
}

Json finding_json(const Finding& f, const Comparison& c) {
  Json out{
      {"side", c.sides[f.side].name},
      {"value", f.value},
      {"class", f.of_class.empty() ? Json() : Json(f.of_class)},
      {"baseline_mean", number(f.first)},
      {"mean", number(f.mean)},
      {"difference", number(f.difference)},
      {"interval", interval_json(f.claimed())},
      {"p", number(f.claimed_p())},
      {"exact", f.exact},
      {"donors", f.differences.size()},
      {"donors_won", f.won},
      {"donors_tied", f.tied},
      {"dz", number(f.student.dz)},
      {"wilcoxon_p", number(f.ranks.p)},
      {"student_p", number(f.student.p)},
      {"bootstrap", {{"bca", interval_json(f.bootstrap.bca)}, {"percentile", interval_json(f.bootstrap.percentile)}}}};
  if (f.recipe) {
    out["recipe"] = recipe_json(*f.recipe);
    out["these_weights_alone"] = {{"interval", interval_json(f.interval)}, {"p", number(f.p)}};
  }
  if (f.verdict == Verdict::exploratory) return out;
  out["p_holm"] = number(f.adjusted);
  out["verdict"] = text_of(f.verdict);
  out["within_margin"] = c.request.margin ? Json(f.within_margin) : Json();
  return out;
}

Json settling_json(const Settling& s) {
  Json curve = Json::array();
  for (const auto& [donors, power] : s.curve) curve.push_back({donors, power});
  return {{"effect", s.effect},
          {"effect_stated", s.stated},
          {"power_now", s.power},
          {"now",
           {{"donors", s.now.donors},
            {"slides_a_donor", s.now.slides},
            {"seeds_a_side", {s.now.seeds.first, s.now.seeds.second}}}},
          {"wanted_power", Settling::wanted},
          {"donors", optional_json(s.donors)},
          {"slides_a_donor", optional_json(s.slides)},
          {"seeds_a_side", optional_json(s.seeds)},
          {"power_by_donors", curve}};
}

Json objects_json(const ObjectDifferences& o, const Comparison& c) {
  Json changed = Json::array();
  for (const ChangedObject& x : o.changed)
    changed.push_back({{"fate", text_of(x.fate)},
                       {"slide", x.slide.slide},
                       {"dataset", x.slide.dataset},
                       {"donor", x.donor},
                       {"class", x.of_class},
                       {"box", {x.box.x, x.box.y, x.box.width, x.box.height}},
                       {"iou", {x.iou_before, x.iou_after}},
                       {"share_of_seeds", {x.share_before, x.share_after}},
                       {"view", view_fragment(x, c.runs[0])}});
  Json fates = nullptr;
  if (o.false_fates)
    fates = {{"kept", o.false_fates->kept}, {"new", o.false_fates->gained}, {"gone", o.false_fates->gone}};
  return {{"run", c.sides[o.side].name},
          {"iou_from", found_from},
          {"kept", o.kept},
          {"won", o.won},
          {"lost", o.lost},
          {"missed_by_both", o.missed},
          {"false_before", o.false_before},
          {"false_after", o.false_after},
          {"false_fates", fates},
          {"found", finding_json(o.found, c)},
          {"false", finding_json(o.false_ones, c)},
          {"pooled_share_found", {number(o.share_before), number(o.share_after)}},
          {"pooled_difference_bca", interval_json(o.share_difference.bca)},
          {"changed", changed}};
}

Json pooled_json(const Comparison& c) {
  Json out = Json::array();
  for (const PooledFigure& p : c.pooled.sides)
    out.push_back({{"side", c.sides[p.side].name},
                   {"value", c.request.metric},
                   {"baseline_pooled", number(p.first)},
                   {"pooled", number(p.value)},
                   {"difference", number(p.value - p.first)},
                   {"bca", interval_json(p.difference.bca)},
                   {"percentile", interval_json(p.difference.percentile)}});
  return out;
}

Json runs_json(const Comparison& c) {
  Json out = Json::array();
  for (std::size_t r = 0; r < c.runs.size(); ++r) {
    const MeasuredRun& run = c.runs[r];
    const RunCost& cost = c.costs[r];
    Json more = Json::array();
    for (const MeasuredRun::Part& part : run.more)
      more.push_back({{"run", part.folder.string()}, {"validation", part.validation.string()}});
    out.push_back({{"name", run.name},
                   {"run", run.folder.string()},
                   {"validation", run.validation.string()},
                   {"other_folds", std::move(more)},
                   {"seconds", optional_json(cost.seconds)},
                   {"peak_rss_mb", optional_json(cost.peak_mb)},
                   {"cpu_seconds", optional_json(cost.cpu_seconds)},
                   {"gpu_seconds", optional_json(cost.gpu_seconds)},
                   {"energy_wh", optional_json(cost.energy_wh)},
                   {"beside_others", optional_json(cost.beside_others)},
                   {"device", cost.device},
                   {"host", cost.host},
                   {"time_alone", cost.beside_others ? Json(!cost.was_beside) : Json()}});
  }
  return out;
}

Json donors_json(const Comparison& c) {
  Json out = Json::array();
  std::vector<std::vector<double>> values;
  for (const Side& side : c.sides) values.push_back(donors_of_side(c.table, side));
  for (std::size_t d = 0; d < c.table.donors.size(); ++d) {
    Json row{
        {"donor", c.table.donors[d]}, {"known", static_cast<bool>(c.table.donor_known[d])}, {"values", Json::array()}};
    for (const auto& of_side : values) row["values"].push_back(number(of_side[d]));
    out.push_back(std::move(row));
  }
  return out;
}

Json slides_json(const Comparison& c) {
  Json out = Json::array();
  for (std::size_t s = 0; s < c.table.slides.size(); ++s) {
    Json row{{"slide", c.table.slides[s].slide},
             {"dataset", c.table.slides[s].dataset},
             {"donor", c.table.donors[c.table.donor_of[s]]},
             {"values", Json::array()}};
    for (const auto& of_run : c.table.by_slide) row["values"].push_back(number(of_run[s]));
    out.push_back(std::move(row));
  }
  return out;
}

Json configuration_json(const Comparison& c) {
  Json out = Json::array();
  for (const ConfigDifference& d : c.differences) {
    Json row{{"key", d.key}, {"named_by_vary", d.named}, {"sides", Json::array()}};
    for (const auto& entry : d.sides) row["sides"].push_back({{"value", entry.value}, {"written", entry.place}});
    out.push_back(std::move(row));
  }
  return out;
}

}  // namespace

std::string comparison_json(const Comparison& c) {
  Json out{{"comparable", c.ignored.empty()},
           {"compared_anyway", objections_json(c.ignored)},
           {"meant_to_differ", objections_json(c.varied)},
           {"value", c.request.metric},
           {"better", c.good_when == GoodWhen::lower ? "lower" : "higher"},
           {"values_undefined_in_all_runs", c.table.undefined},
           {"values_undefined_in_some_runs", c.table.left_out.size()},
           {"margin", optional_json(c.request.margin)},
           {"seed", c.request.seed},
           {"runs", runs_json(c)},
           {"sides", Json::array()},
           {"findings", Json::array()},
           {"share_first", c.first_share},
           {"settling", Json::array()},
           {"exploratory", Json::array()},
           {"pooled", pooled_json(c)},
           {"objects", Json::array()}};
  for (const Side& side : c.sides) out["sides"].push_back({{"name", side.name}, {"runs", side.runs}});
  for (const Finding& f : c.findings) out["findings"].push_back(finding_json(f, c));
  for (const auto& s : c.settlings) out["settling"].push_back(s ? settling_json(*s) : Json());
  for (const auto& of_value : c.exploratory)
    for (const Finding& f : of_value) out["exploratory"].push_back(finding_json(f, c));
  for (const ObjectDifferences& o : c.objects) out["objects"].push_back(objects_json(o, c));
  out["donors"] = donors_json(c), out["slides"] = slides_json(c);
  out["configuration"] = configuration_json(c);
  out["notes"] = c.notes;
  return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace nephron::host
