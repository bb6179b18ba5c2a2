#include <host/metrics/metric_set.hpp>

#include <set>
#include <utility>

#include <host/plugins/guard.hpp>
#include <host/slides/make_component.hpp>
#include <host/util/usage_error.hpp>

namespace nephron::host {

MetricSet::MetricSet(const Registry& registry, const std::vector<ComponentSpec>& specs) {
  std::set<std::string> seen;
  for (const ComponentSpec& spec : specs) {
    if (!seen.insert(spec.type).second) throw UsageError("metric \"" + spec.type + "\" is named twice");
    add(spec.type, make_component<Metric>(registry, spec, "metric." + spec.type, 0));
    Diagnostics none;
    DecodeContext context{none};
    entries_.back().parameters = registry.schema(Metric::kind, spec.type).normalised(spec.params, context).str();
  }
}

std::string MetricSet::str() const {
  std::string out;
  for (const Entry& e : entries_) out += (out.empty() ? "" : "; ") + e.name + " " + e.parameters;
  return out;
}

std::uint32_t MetricSet::needs() const {
  std::uint32_t out = 0;
  for (const Entry& e : entries_) out |= guarded(*e.metric, "in needs()", [&] { return e.metric->needs(); });
  return out;
}

std::vector<ComponentSpec> metric_specs(const std::vector<std::string>& names) {
  std::vector<ComponentSpec> out;
  for (const std::string& name : names) {
    if (name.empty()) throw UsageError("a metric without a name; separate names with single commas: dice,iou");
    out.push_back({name, Value(Value::Table{}), {}});
  }
  return out;
}

}  // namespace nephron::host
