#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <host/util/child_process.hpp>

namespace nephron::host {

/// Runs a command with its stdin closed and its own process group, and hands on what it writes on
/// `report_descriptor` as it comes. Stops it after `patience` seconds without a report (a minute at least
/// for the first one), and when this program is interrupted (throws Cancelled). Throws Error when the command cannot be
/// started.
ChildEnd run_child(const std::vector<std::string>& command, double patience,
                   const std::function<void(std::string_view)>& on_report);

/// For a child of run_child(), first of all: no core dumps, it dies with its parent, and its parent says what of.
void enter_child();

}  // namespace nephron::host
