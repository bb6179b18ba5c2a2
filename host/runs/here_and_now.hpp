#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace nephron::host {

/// Who runs this process; the number of one whom the system does not know.
std::string user_name();
/// This moment as records say it: "2026-01-31T12:00:00+0100".
std::string time_text();
/// Seconds since 1970 of such a text; nothing where it is none.
std::optional<std::int64_t> seconds_of_time(const std::string& time);
/// This moment as names of runs and sweeps begin: "20260131-120000".
std::string time_name();
/// The model of this machine's processor; "unknown" when the system does not say.
std::string cpu_name();

}  // namespace nephron::host
