#include <host/compare/value_table.hpp>

#include <algorithm>
#include <map>
#include <optional>

#include <host/stats/moments.hpp>

namespace nephron::host {

namespace {

std::optional<double> value_of(const MeasuredRun& run, const SlideKey& slide, const std::string& of_class,
                               const std::string& value) {
  const auto& classes = run.slides.at(slide).values;
  const auto of = classes.find(of_class);
  if (of == classes.end()) return std::nullopt;
  const auto found = of->second.find(value);
  return found == of->second.end() ? std::nullopt : std::optional(found->second);
}

/// In every run; empty where one has none.
std::vector<double> cell(const std::vector<MeasuredRun>& runs, const SlideKey& slide, const std::string& of_class,
                         const std::string& value, ValueTable& table) {
  std::vector<double> out;
  ++table.asked;
  for (const MeasuredRun& run : runs)
    if (const auto v = value_of(run, slide, of_class, value)) out.push_back(*v);
  if (out.size() == runs.size()) return out;
  if (out.empty()) ++table.undefined;
  else table.left_out.push_back(slide.slide + (of_class.empty() ? "" : ", " + of_class));
  return {};
}

/// The value is of all classes together.
bool is_of_all_classes(const std::vector<MeasuredRun>& runs, const std::vector<SlideKey>& slides,
                       const std::string& value) {
  const auto any_slide = [&](const MeasuredRun& run) {
    return std::any_of(slides.begin(), slides.end(),
                       [&](const SlideKey& slide) { return value_of(run, slide, "", value).has_value(); });
  };
  return std::any_of(runs.begin(), runs.end(), any_slide);
}

/// In every run, as mean over the classes that every run has.
std::vector<double> mean_cell(const std::vector<MeasuredRun>& runs, const SlideKey& slide, const std::string& value,
                              ValueTable& table) {
  std::vector<double> sum(runs.size(), 0.0);
  int classes = 0;
  for (const std::string& of_class : runs.at(0).facts.classes) {
    const std::vector<double> one = cell(runs, slide, of_class, value, table);
    if (one.empty()) continue;
    ++classes;
    for (std::size_t r = 0; r < one.size(); ++r) sum[r] += one[r];
  }
  if (classes == 0) return {};
  for (double& s : sum) s /= classes;
  return sum;
}

}  // namespace

ValueTable value_table(const std::vector<MeasuredRun>& runs, const std::vector<SlideKey>& slides,
                       const std::string& value, const std::string& of_class) {
  ValueTable out;
  out.value = value, out.of_class = of_class;
  out.by_slide.resize(runs.size()), out.by_donor.resize(runs.size());
  std::map<std::pair<bool, std::string>, std::size_t> donors;
  const bool mean = of_class.empty() && !is_of_all_classes(runs, slides, value);
  for (const SlideKey& slide : slides) {
    const std::vector<double> values =
        mean ? mean_cell(runs, slide, value, out) : cell(runs, slide, of_class, value, out);
    if (values.empty()) continue;
    const std::string& donor = runs.at(0).slides.at(slide).donor;
    const bool known = !donor.empty();
    const auto [at, is_new] =
        donors.emplace(std::pair(known, known ? donor : slide.dataset + "/" + slide.slide), out.donors.size());
    if (is_new) out.donors.push_back(known ? donor : slide.slide), out.donor_known.push_back(known);
    out.slides.push_back(slide), out.donor_of.push_back(at->second);
    for (std::size_t r = 0; r < values.size(); ++r) out.by_slide[r].push_back(values[r]);
  }
  for (std::size_t r = 0; r < runs.size(); ++r) {
    std::vector<std::vector<double>> of_donor(out.donors.size());
    for (std::size_t s = 0; s < out.slides.size(); ++s) of_donor[out.donor_of[s]].push_back(out.by_slide[r][s]);
    for (const auto& values : of_donor) out.by_donor[r].push_back(mean_of(values));
  }
  return out;
}

std::vector<std::string> common_values(const std::vector<MeasuredRun>& runs, const std::string& first) {
  std::vector<std::string> out{first};
  for (const auto& [name, facts] : runs.at(0).values) {
    const auto alike = [&, &name = name, &facts = facts](const MeasuredRun& run) {
      const auto there = run.values.find(name);
      if (there == run.values.end() || there->second.metric != facts.metric) return false;
      const auto a = runs[0].facts.metrics.find(facts.metric), b = run.facts.metrics.find(facts.metric);
      return (a == runs[0].facts.metrics.end()) == (b == run.facts.metrics.end()) &&
             (a == runs[0].facts.metrics.end() || a->second == b->second);
    };
    if (name != first && std::all_of(runs.begin(), runs.end(), alike)) out.push_back(name);
  }
  return out;
}

}  // namespace nephron::host
