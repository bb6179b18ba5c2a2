#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <nephron/schema.hpp>

#include <host/plugins/registry.hpp>
#include <host/util/text_table.hpp>
#include <host/util/value_json.hpp>

namespace nephron::host {

nlohmann::ordered_json as_json(const FieldInfo& field);
nlohmann::ordered_json as_json(const ComponentInfo& info);

/// JSON that is always valid: bytes of file names that are no UTF-8 are replaced.
std::string json_text(const nlohmann::ordered_json& json);

/// What `plugins describe` prints of a component.
std::string describe_text(const ComponentInfo& info, const SchemaBase& schema);

}  // namespace nephron::host
