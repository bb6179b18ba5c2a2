#pragma once

#include <string>

#include <host/report/validation_record.hpp>

namespace nephron::host {

/// The figures of greatest interest: Dice out of fold, and how many objects were found.
std::string validation_tiles(const ValidationRecord& record);

/// Dice by threshold, values of metrics, calibration, confusion, slides, objects.
std::string validation_section(const ValidationRecord& record);

/// In place of all that, where nothing was validated: what it would show, and the command that makes it.
std::string no_validation(const std::string& command);

}  // namespace nephron::host
