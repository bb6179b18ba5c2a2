#pragma once

#include <host/view/collected.hpp>
#include <host/view/label_layers.hpp>

namespace nephron::host {

/// Slides and truths while they are being collected.
struct Collecting {
  Collected out;
  FirstOfLayers truth{"truth", ViewLayer::Kind::truth};
  std::vector<std::shared_ptr<const ViewLayer>> truths;  ///< that go behind those of `truth`
  std::vector<std::shared_ptr<ViewLayer>> layers;        ///< besides the truth

  std::size_t namesakes = 0;  ///< slides of other files that have the id of one that is there
  std::string first_namesake;

  /// A slide of an id that is there already gives its pixels where that one has none.
  void add(ViewSlide slide);
  void add_classes(const std::vector<std::string>& names);
};

/// Slides and truth of the datasets of a run, as its resolved experiment names them.
void collect_run(const std::filesystem::path& path, const std::vector<std::filesystem::path>& plugins,
                 Collecting& into);
/// Pictures and labels of a store.
void collect_store(const std::filesystem::path& path, Collecting& into);

}  // namespace nephron::host
