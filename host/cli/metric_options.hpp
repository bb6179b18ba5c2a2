#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace nephron::host {

/// --metrics and --set, as every command that measures has them.
inline void add_metric_options(CLI::App& command, std::vector<std::string>& metrics, std::vector<std::string>& set) {
  command
      .add_option("--metrics", metrics,
                  "By which slides with true masks are measured, comma-separated: nephron plugins list names them")
      ->delimiter(',')
      ->capture_default_str();
  command.add_option("--set", set, "Parameter of a metric, may be repeated: boundary.tau=[2,5]")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->type_name("METRIC.PARAMETER=VALUE");
}

}  // namespace nephron::host
