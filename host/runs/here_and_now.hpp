#pragma once

#include <string>

namespace nephron::host {

/// Who runs this process; the number of one whom the system does not know.
std::string user_name();
/// This moment as records say it: "2026-01-31T12:00:00+0100".
std::string time_text();
/// This moment as names of runs and sweeps begin: "20260131-120000".
std::string time_name();
/// The model of this machine's processor; "unknown" when the system does not say.
std::string cpu_name();

}  // namespace nephron::host
