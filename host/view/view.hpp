#pragma once

#include <host/view/collected.hpp>

namespace nephron::host {

struct ViewRequest {
  ViewWish wish;
  std::string host = "127.0.0.1";
  int port = 0;
  std::filesystem::path drawings = "annotations";
  double mpp = 0;  ///< of slides whose files do not say it; 0: they have none
};

/// Serves the viewer until Ctrl-C, and prints its address first. Throws UsageError and Error.
void view(const ViewRequest& request);

}  // namespace nephron::host
