#pragma once

#include <memory>
#include <string>
#include <vector>

#include <host/predict/member.hpp>
#include <host/predict/predict.hpp>

// While a run is trained, its best and last weights move on, and another run may become the latest. What a prediction
// chose when it began is what every process of it predicts by, whenever that is started.
namespace nephron::host {

/// What was chosen, a line of JSON: what a process that predicts for this one is told first. `settings`: of all members
/// (settings_text()).
std::string chosen_networks(const std::vector<std::unique_ptr<Member>>& members, const std::string& settings);

/// In such a process: makes the request ask for what the line names.
void ask_for_chosen(PredictRequest& request, const std::string& line);

/// Once the networks are known: throws Error that names what differs from the line, such as weights that have been
/// replaced since.
void require_chosen(const std::vector<std::unique_ptr<Member>>& members, const std::string& settings,
                    const std::string& line);

}  // namespace nephron::host
