#pragma once

#include <host/predict/predict.hpp>
#include <host/util/work_share.hpp>

namespace nephron::host {

/// What of a prediction a process does that others have a part in.
struct PredictPart {
  WorkShare share;      ///< of the pictures; `out` of the request is then that share's own folder (gathered_shares.hpp)
  bool gather = false;  ///< predict nothing: put together what the shares of all processes have left below `out`
};

PredictOutcome predict(const PredictRequest& request, const PredictPart& part);

}  // namespace nephron::host
