#pragma once

#include <filesystem>
#include <string>

namespace nephron::host {

/// Lets an agent of this user start with the machine: a systemd user unit, or where there is no such manager a line
/// @reboot of the user's crontab. Says which. Throws Error where neither is there.
std::string enable_agent(const std::filesystem::path& spool);
std::string disable_agent();

}  // namespace nephron::host
