#pragma once

#include <string>
#include <vector>

#include <host/predict/named_network.hpp>

namespace nephron::host {

/// Of a run's validation (`nephron validate RUN`), for each class the threshold that is best for the slides that its
/// folds held out. Throws UsageError saying what to do where the run was not validated to the end, where the validation
/// measured other weights than `chosen`, and where it says nothing of a class.
std::vector<double> validated_thresholds(const ChosenWeights& chosen, const std::vector<std::string>& classes);

}  // namespace nephron::host
