#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <host/config/experiment.hpp>
#include <host/plugins/registry.hpp>
#include <host/predict/picture_loader.hpp>
#include <host/predict/predict.hpp>
#include <host/predict/settings.hpp>
#include <host/predict/trained_on.hpp>
#include <host/tiling/tile_source.hpp>

namespace nephron::host {

/// One run that predicts, alone or together with others: each at its own reduction, with its own tiles.
struct Member {
  std::filesystem::path place;  ///< by which another process finds the same network
  std::unique_ptr<Registry> registry;
  Experiment experiment;
  PredictSettings settings;
  std::string network_sha256;  ///< what the experiment says of what its weights answer (network_key.hpp)
  std::unique_ptr<PictureLoader> loader;
  std::unique_ptr<PixelModel> model;
  TrainedSlides trained;
  double share = 1;  ///< of what the members say together
};

/// The run of a request and those that it is joined with, ready to predict. Throws Error when one of them cannot, and
/// when their classes differ. `with_networks`: false: others predict, and `model` stays null.
std::vector<std::unique_ptr<Member>> open_members(const PredictRequest& request, bool with_networks = true);

/// Everything that their prediction depends on, as JSON: equal text means equal predictions. `metrics`: what pictures
/// are measured by; empty: nothing.
std::string settings_text(const std::vector<std::unique_ptr<Member>>& members, const PredictRequest& request,
                          const std::string& metrics);
/// Ids of the slides that one of them was trained on; nothing where one does not know.
std::optional<std::vector<std::string>> trained_on_by(const std::vector<std::unique_ptr<Member>>& members);

}  // namespace nephron::host
