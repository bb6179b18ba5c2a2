#include <host/predict/network_key.hpp>

#include <filesystem>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <nephron/codec.hpp>

#include <host/config/components.hpp>
#include <host/config/normalise_link.hpp>
#include <host/config/show.hpp>
#include <host/util/files.hpp>

namespace nephron::host {

using Json = nlohmann::ordered_json;

namespace {

Json key_of(std::string_view kind, const ComponentSpec& part, const Components& components) {
  return {part.type, params_key(kind, part, components)};
}

/// What a file holds that a parameter names, in place of where it lies.
ComponentSpec by_content(ComponentSpec part, const Components& components) {
  walk_fields(part.params, components.schema(OfSamples::kind, part.type).fields(), components,
              [](Value& table, const FieldInfo& field) {
                Value* const value = field.type == "path" ? table.find(field.name) : nullptr;
                if (value == nullptr || !value->is(Value::Type::string)) return;
                const std::filesystem::path file = detail::resolve(*value, value->string());
                if (std::filesystem::is_regular_file(file)) *value = Value("sha256:" + sha256_of(file));
              });
  return part;
}

Json key_of(const std::vector<AugmentationConfig>& chain, const Components& components) {
  Json out = Json::array();
  for (const AugmentationConfig& link : chain) {
    Json own{{"type", link.component.type}, {"p", link.p}};
    if (is_combinator(OfSamples::kind, link.component.type)) own["of"] = key_of(link.of, components);
    else own["params"] = params_key(OfSamples::kind, by_content(link.component, components), components);
    out.push_back(std::move(own));
  }
  return out;
}

}  // namespace

std::string network_key(const Experiment& experiment, const Registry& registry) {
  const RegistryComponents components(registry);
  const ModelConfig& model = experiment.model;
  Json json;
  json["encoder"] = key_of("encoder", model.encoder.component, components);
  json["decoder"] = key_of("decoder", model.decoder, components);
  json["in_channels"] = model.in_channels;
  json["classes"] = experiment.classes;
  json["exclusive"] = experiment.exclusive;
  json["mean"] = experiment.data.mean;
  json["std"] = experiment.data.std;
  if (const AugmentationConfig* const link = normalise_link_of(experiment))
    json["normalise"] = key_of(link->of, components);
  return sha256_of_text(json.dump(-1, ' ', false, Json::error_handler_t::replace));
}

}  // namespace nephron::host
