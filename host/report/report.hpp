#pragma once

#include <filesystem>
#include <string>

namespace nephron::host {

struct ReportRequest {
  std::filesystem::path run;
  std::filesystem::path predictions;  ///< what `nephron predict` wrote; empty: training alone
  int pictures = 24;                  ///< shown; the worst where there are more
  std::int64_t side = 720;            ///< longer side of a picture, px
};

/// One HTML page with everything in it.
std::string report_html(const ReportRequest& request);

}  // namespace nephron::host
