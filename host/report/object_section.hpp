#pragma once

#include <string>

#include <host/report/validation_record.hpp>

namespace nephron::host {

std::string object_tiles(const ValidationRecord& record);

/// How many objects there are and were found, and how large they are.
std::string object_section(const ValidationRecord& record);

}  // namespace nephron::host
