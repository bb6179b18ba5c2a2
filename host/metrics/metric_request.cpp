#include <host/metrics/metric_request.hpp>

#include <algorithm>
#include <utility>

#include <nephron/dataset_check.hpp>
#include <nephron/value.hpp>

#include <host/config/load.hpp>
#include <host/util/as_usage.hpp>

namespace nephron::host {

namespace {

/// What a person writes for a value: as in an experiment, or a bare word.
Value value_of(const std::string& text, const std::string& whole) {
  try {
    return *parse_toml("value = " + text, "--set " + whole).find("value");
  } catch (const Error&) {
    return Value(text);
  }
}

std::string names_of_fields(const std::vector<FieldInfo>& fields) {
  std::vector<std::string> names;
  for (const FieldInfo& f : fields) names.push_back(f.name);
  return names_of(names, names.size());
}

/// That a metric has these parameters, said as a person asked for them.
void require_parameters(const Registry& registry, const ComponentSpec& spec) {
  const SchemaBase& schema = registry.schema(Metric::kind, spec.type);
  const std::vector<FieldInfo>& fields = schema.fields();
  const std::string metric = "metric \"" + spec.type + "\"";
  for (const Value::Member& m : spec.params.table()) {
    if (std::any_of(fields.begin(), fields.end(), [&](const FieldInfo& f) { return f.name == m.key; })) continue;
    throw UsageError(metric + " has no parameter \"" + m.key + "\"" +
                         (fields.empty() ? "; it has none" : "; it has " + names_of_fields(fields)),
                     "nephron plugins describe metric " + spec.type + " says what they mean.");
  }
  Diagnostics faults;
  DecodeContext context{faults};
  if (!schema.check(spec.params, context))
    throw UsageError(metric + ": " + faults.front().message, faults.front().hint);
}

}  // namespace

std::vector<ComponentSpec> requested_specs(const std::vector<std::string>& names,
                                           const std::vector<std::string>& settings) {
  std::vector<ComponentSpec> out = metric_specs(names);
  for (const std::string& text : settings) {
    const std::size_t dot = text.find('.'), is = text.find('=');
    if (dot == std::string::npos || is == std::string::npos || dot > is)
      throw UsageError("--set \"" + text + "\": expected METRIC.PARAMETER=VALUE, such as boundary.tau=[2,5]");
    const std::string metric = text.substr(0, dot);
    const auto spec = std::find_if(out.begin(), out.end(), [&](const ComponentSpec& s) { return s.type == metric; });
    if (spec == out.end()) throw UsageError("--set \"" + text + "\": metric \"" + metric + "\" is not asked for");
    spec->params.set(text.substr(dot + 1, is - dot - 1), value_of(text.substr(is + 1), text));
  }
  return out;
}

MetricSet requested_metrics(const Registry& registry, const std::vector<std::string>& names,
                            const std::vector<std::string>& settings) {
  return as_usage([&] {
    const std::vector<ComponentSpec> specs = requested_specs(names, settings);
    for (const ComponentSpec& spec : specs) require_parameters(registry, spec);
    return MetricSet(registry, specs);
  });
}

}  // namespace nephron::host
