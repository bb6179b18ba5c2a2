#pragma once

#include <string>

namespace nephron::host {

/// Seconds since this process was started, its loading included.
double seconds_since_start();
/// This process's memory in MiB; 0 when unknown.
double rss_mb();
/// High-water mark of this process's memory in MiB; 0 when unknown.
double peak_rss_mb();
/// Forgets it, so that peak_rss_mb() speaks of what follows.
void reset_peak_rss();
/// Of this machine; "unknown" when it has none.
std::string host_name();

}  // namespace nephron::host
