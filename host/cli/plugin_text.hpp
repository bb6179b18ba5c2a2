#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <nephron/schema.hpp>

#include <host/plugins/registry.hpp>

namespace nephron::host {

nlohmann::ordered_json as_json(const Value& value);
nlohmann::ordered_json as_json(const FieldInfo& field);
nlohmann::ordered_json as_json(const ComponentInfo& info);

/// JSON that is always valid: bytes of file names that are no UTF-8 are replaced.
std::string json_text(const nlohmann::ordered_json& json);

/// Rows in aligned columns, two spaces apart; the last column is not padded.
std::string table_text(const std::vector<std::vector<std::string>>& rows);

/// What `plugins describe` prints of a component.
std::string describe_text(const ComponentInfo& info, const SchemaBase& schema);

}  // namespace nephron::host
