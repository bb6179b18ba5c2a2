#pragma once

#include <nlohmann/json_fwd.hpp>

#include <nephron/value.hpp>

namespace nephron::host {

/// Parameters as JSON: tables are objects, what is unset is null.
nlohmann::ordered_json as_json(const Value& value);

}  // namespace nephron::host
