#pragma once

#include <string>

#include <host/config/components.hpp>

namespace nephron::host {

/// JSON Schema (draft 2020-12) of experiment files, with the parameters of every component that is found.
std::string experiment_json_schema(const Components& components);

/// The reference tables of docs/experiment.md.
std::string experiment_markdown();

}  // namespace nephron::host
