#include <host/synth/slide_makers.hpp>

#include <algorithm>
#include <memory>
#include <vector>

#include <nephron/dataset.hpp>
#include <nephron/error.hpp>

#include <host/slides/make_component.hpp>
#include <host/util/log.hpp>

namespace nephron::host {

namespace {

const Value no_params{Value::Table{}};

/// The parameters of a dataset for the request, or null where it makes no slides.
Value params_of(const Registry& registry, const std::string& name, const SlideMaker::Request& request) {
  const auto& fields = registry.schema(Dataset::kind, name).fields();
  if (std::any_of(fields.begin(), fields.end(), [](const FieldInfo& field) { return field.required; })) return {};
  const ComponentSpec spec{name, no_params, {}};
  const auto dataset = make_component<Dataset>(registry, spec, "dataset[0]", request.seed);
  const auto* maker = dynamic_cast<const SlideMaker*>(dataset.get());
  if (maker == nullptr) return {};
  return guarded(origin_of(registry, Dataset::kind, spec, "telling parameters"),
                 [&] { return maker->params_for(request); });
}

/// Of every dataset that makes slides. One that cannot be loaded is passed over: nobody has named it.
std::vector<ComponentSpec> all_makers(const Registry& registry, const SlideMaker::Request& request) {
  std::vector<ComponentSpec> out;
  for (const std::string& name : registry.names(Dataset::kind)) {
    try {
      if (Value params = params_of(registry, name, request); !params.is(Value::Type::null))
        out.push_back({name, std::move(params), {}});
    } catch (const Error& e) {
      log().warning(e.what());
    }
  }
  return out;
}

std::string names_of(const std::vector<ComponentSpec>& makers) {
  std::string out;
  for (const ComponentSpec& maker : makers) out += (out.empty() ? "\"" : ", \"") + maker.type + "\"";
  return out;
}

}  // namespace

ComponentSpec slide_maker(const Registry& registry, const std::string& name, const SlideMaker::Request& request) {
  if (!name.empty()) {
    registry.find(Dataset::kind, name);  // says what there is when it is unknown
    if (Value params = params_of(registry, name, request); !params.is(Value::Type::null)) return {name, params, {}};
  }
  const std::vector<ComponentSpec> makers = all_makers(registry, request);
  const std::string those = makers.empty() ? "no dataset that is installed does" : "those that do: " + names_of(makers);
  if (!name.empty()) throw Error("dataset \"" + name + "\" makes no slides of its own; " + those);
  if (makers.empty())
    throw Error("none of the installed datasets makes slides of its own; expected a plugin with one (SlideMaker)",
                "name its file with --plugin, or see nephron plugins list");
  if (makers.size() > 1)
    throw Error("several datasets make slides of their own: " + names_of(makers), "say which one with --dataset");
  return makers.front();
}

}  // namespace nephron::host
