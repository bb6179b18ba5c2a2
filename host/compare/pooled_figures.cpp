#include <host/compare/pooled_figures.hpp>

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>

#include <nlohmann/json.hpp>

#include <nephron/error.hpp>
#include <nephron/kept_measurement.hpp>
#include <nephron/metric.hpp>

#include <host/config/load.hpp>
#include <host/plugins/guard.hpp>
#include <host/plugins/host_context.hpp>
#include <host/plugins/registry.hpp>
#include <host/runs/validation_files.hpp>
#include <host/util/checked_json.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t bootstrap_draws = 9999;
constexpr double rounding = 1e-9;

using Measured = std::unique_ptr<Measurement>;

/// Measures and the tables beside them say different things, or are of another plugin: nothing is pooled then.
[[noreturn]] void refuse(const std::string& why) { throw Error(why); }

PluginSearch plugins_of(const MeasuredRun& run) {
  PluginSearch out;
  const Value* const named = run.config.find("plugins");
  if (named != nullptr && named->is(Value::Type::array))
    for (const Value& file : named->array())
      if (file.is(Value::Type::string)) out.experiment.emplace_back(file.string());
  return out;
}

/// The metric of a value, as the runs were measured by it.
class ValueMetric {
 public:
  ValueMetric(const MeasuredRun& run, std::string value)
      : registry_(plugins_of(run)), name_(run.values.at(value).metric), value_(std::move(value)), context_(name_, "") {
    const auto by = run.facts.metrics.find(name_);
    if (by == run.facts.metrics.end()) refuse("how " + name_ + " measured was not recorded");
    if (const std::string& now = registry_.find(Metric::kind, name_).version; now != by->second.version)
      refuse("the metric " + name_ + " measured in version " + by->second.version + ", and is " + now + " now");
    const Value parsed = parse_toml("parameters = " + by->second.parameters + "\n", "parameters of " + name_);
    metric_ = registry_.create<Metric>({name_, *parsed.find("parameters"), {}}, context_);
    all_.classes = run.facts.classes;
    for (const std::string& of_class : all_.classes) {
      const auto threshold = run.facts.thresholds.find(of_class);
      all_.thresholds.push_back(threshold == run.facts.thresholds.end() ? 0.5 : threshold->second);
    }
  }

  const std::string& name() const noexcept { return name_; }
  const std::string& value() const noexcept { return value_; }
  /// Nothing seen yet: what slides and donors are added to.
  Measured nothing() const { return metric_->begin(all_); }
  Measured restored(const JsonNode& numbers) const {
    Measured out = nothing();
    auto* const kept = dynamic_cast<KeptMeasurement*>(out.get());
    if (kept == nullptr) refuse("measurements of " + name_ + " cannot be kept");
    std::vector<double> told;
    for (const JsonNode& number : numbers.items())
      told.push_back(number.raw().is_null() ? MetricValue::undefined : number.number());
    kept->restore(told);
    return out;
  }
  bool pools_over_pixels() const {
    const std::vector<MetricValue> values = nothing()->values();
    return std::all_of(values.begin(), values.end(),
                       [&](const MetricValue& v) { return v.name != value_ || v.over == PooledOver::pixels; });
  }
  /// Of a class, or where there is none of all of them, as its table has it.
  double of_class(const Measurement& measured, const std::string& name) const {
    for (const MetricValue& v : measured.values())
      if (v.name == value_ && (v.class_index == MetricValue::all_classes
                                   ? name.empty()
                                   : all_.classes.at(static_cast<std::size_t>(v.class_index)) == name))
        return v.value;
    return MetricValue::undefined;
  }
  /// Mean over the classes where it is defined.
  double mean(const Measurement& measured) const {
    double sum = 0;
    int count = 0;
    for (const MetricValue& v : measured.values())
      if (v.name == value_ && std::isfinite(v.value)) sum += v.value, ++count;
    return count > 0 ? sum / count : MetricValue::undefined;
  }
  template <class F>
  auto guarded_calls(F&& calls) const {
    return guarded(*metric_, "in add() or values()", calls);
  }

 private:
  Registry registry_;
  std::string name_, value_;
  HostContext context_;
  std::shared_ptr<Metric> metric_;
  MeasuredSlide all_;
};

/// What a run keeps of a slide. Throws Error where it is not what its tables say.
Measured kept_of(const MeasuredRun& run, const SlideKey& key, const fs::path& file, const ValueMetric& metric) {
  const JsonNode json = JsonNode::read(file);
  Measured out = metric.restored(json.at("metrics").at(metric.name()).at("numbers"));
  for (const auto& [of_class, values] : run.slides.at(key).values) {
    const auto told = values.find(metric.value());
    const double now = metric.of_class(*out, of_class);
    if (told != values.end() && std::isfinite(now) && std::abs(now - told->second) > rounding)
      refuse(file.string() + " is of another validation than the tables beside it");
  }
  return out;
}

/// A donor each: of all runs of a side. Empty where a run keeps nothing of a slide.
std::vector<Measured> donors_of(const std::vector<MeasuredRun>& runs, const Side& side, const ValueTable& table,
                                const ValueMetric& metric) {
  std::vector<Measured> out;
  for (std::size_t d = 0; d < table.donors.size(); ++d) out.push_back(metric.nothing());
  for (const std::size_t r : side.runs) {
    const bool several = runs[r].slides.begin()->first.dataset != runs[r].slides.rbegin()->first.dataset;
    for (std::size_t s = 0; s < table.slides.size(); ++s) {
      const SlideKey& key = table.slides[s];
      const fs::path file = ValidationFiles(runs[r].validation, several).measures_there({key.dataset, key.slide});
      if (file.empty()) return {};
      out[table.donor_of[s]]->add(*kept_of(runs[r], key, file, metric));
    }
  }
  return out;
}

double pooled(const ValueMetric& metric, const std::vector<Measured>& donors, std::span<const std::uint32_t> drawn) {
  const Measured all = metric.nothing();
  for (const std::uint32_t d : drawn) all->add(*donors[d]);
  return metric.mean(*all);
}

bool has_measures(const MeasuredRun& run) {
  std::error_code no;
  return fs::is_directory(run.validation / "measures", no);
}

}  // namespace

PooledFigures pooled_figures(const std::vector<MeasuredRun>& runs, const std::vector<Side>& sides,
                             const ValueTable& table, std::uint64_t seed) try {
  PooledFigures out;
  if (!std::all_of(runs.begin(), runs.end(), has_measures)) return out;
  const ValueMetric metric(runs[0], table.value);
  return metric.guarded_calls([&] {
    if (!metric.pools_over_pixels()) return out;
    const std::vector<Measured> first = donors_of(runs, sides[0], table, metric);
    std::vector<std::uint32_t> each(first.size());
    std::iota(each.begin(), each.end(), 0U);
    for (std::size_t s = 1; s < sides.size() && !first.empty(); ++s) {
      const std::vector<Measured> side = donors_of(runs, sides[s], table, metric);
      if (side.empty()) return PooledFigures{};
      PooledFigure& figure = out.sides.emplace_back();
      figure.side = s;
      figure.first = pooled(metric, first, each), figure.value = pooled(metric, side, each);
      figure.difference = bootstrap({each.size(), bootstrap_draws, seed}, [&](std::span<const std::uint32_t> drawn) {
        return pooled(metric, side, drawn) - pooled(metric, first, drawn);
      });
    }
    return out;
  });
} catch (const Error& e) {  // the rest of the comparison needs none of it
  return {{}, std::string(e.what()).substr(0, std::string(e.what()).find('\n'))};
}

}  // namespace nephron::host
