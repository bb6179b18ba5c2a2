#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace nephron::host {

struct ReportRequest {
  std::filesystem::path run;
  std::vector<std::filesystem::path> predictions;  ///< what `nephron predict` wrote; none: training alone
  int pictures = 24;                               ///< shown of each prediction; the worst where there are more
  std::int64_t side = 720;                         ///< longer side of a picture, px
  std::filesystem::path validation{};              ///< what `nephron validate` wrote; empty: RUN/validation
  int gallery = 12;                                ///< objects shown in each row of the gallery
};

/// Where the validation of a report lies, and the command that makes it.
std::filesystem::path validation_of(const ReportRequest& request);
std::string validate_command(const ReportRequest& request);

/// One HTML page with everything in it.
std::string report_html(const ReportRequest& request);

}  // namespace nephron::host
