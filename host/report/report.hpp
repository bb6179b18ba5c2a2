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
};

/// One HTML page with everything in it.
std::string report_html(const ReportRequest& request);

}  // namespace nephron::host
