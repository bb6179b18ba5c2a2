#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <nephron/slide.hpp>

#include <host/plugins/registry.hpp>
#include <host/view/view_layer.hpp>

namespace nephron::host {

/// A slide that can be looked at. It is opened when somebody does.
struct ViewSlide {
  std::string id;
  std::string place;                                       ///< where it comes from, for people
  std::filesystem::path source;                            ///< its file; empty: pixels are made
  std::function<std::shared_ptr<const SlideFile>()> open;  ///< throws Error
  double mpp = 0;                                          ///< of the picture; 0: as its file says
  Size full;  ///< that labels and drawings are of, where the picture is a reduced one; empty: as the picture
};

/// What a person asked to see.
struct ViewWish {
  std::vector<std::filesystem::path> what;         ///< runs, predictions, slides, folders of them, stores, submissions
  std::vector<std::filesystem::path> annotations;  ///< files named after slides, folders of them, or CSV files
  std::vector<std::filesystem::path> plugins;
};

/// Everything that was found. Slides of one id are one, whoever names them: the first who has pixels gives them.
struct Collected {
  std::unique_ptr<Registry> registry;
  std::vector<std::shared_ptr<const void>> kept_alive;  ///< what the slides are read by
  std::vector<ViewSlide> slides;
  std::vector<std::shared_ptr<const ViewLayer>> layers;  ///< the truth first, where there is one
  std::vector<std::string> classes;
  std::vector<std::string> problems;  ///< what could not be used, while others could
};

/// Throws UsageError for what is none of these, and Error where nothing can be shown.
Collected collect(const ViewWish& wish);

}  // namespace nephron::host
