#pragma once

#include <memory>
#include <string>
#include <vector>

#include <nephron/dataset.hpp>

#include <host/config/experiment.hpp>
#include <host/data/resolution.hpp>
#include <host/plugins/guard.hpp>
#include <host/plugins/registry.hpp>

namespace nephron::host {

/// The slides of an experiment's datasets, before any pixel is touched.
class Listing {
 public:
  struct Entry {
    std::size_t dataset = 0;  ///< index in Experiment::datasets
    SlideInfo info;
  };
  /// Asks every dataset. Throws Error for a dataset that fails, gives no target rules, or for an experiment without
  /// one. A slide that has the id of another of its dataset is left out and named in problems().
  Listing(const Experiment& experiment, const Registry& registry);

  const Experiment& experiment() const noexcept { return experiment_; }
  const Registry& registry() const noexcept { return registry_; }
  const std::vector<Entry>& slides() const noexcept { return slides_; }
  const std::vector<std::string>& problems() const noexcept { return problems_; }
  const std::vector<std::shared_ptr<Dataset>>& datasets() const noexcept { return datasets_; }
  const std::vector<ChannelRule>& targets(const Entry& entry) const { return targets_.at(entry.dataset); }
  /// Whether a slide can be validated on: it is annotated, and its dataset is not only trained on. Of a dataset that
  /// fails to say so it is taken to be annotated; preparing the slide will tell what is wrong.
  bool can_be_held_out(const Entry& entry) const;
  /// The reduction that the experiment works at on a slide. Throws Error when the slide does not say how large its
  /// pixels are and data.mpp asks for it.
  Reduction reduction(const Entry& entry) const;
  /// Sampling group of a slide: what its dataset says, or the dataset's name.
  std::string group(const Entry& entry) const;
  /// Name of a dataset, or its type.
  std::string dataset_name(std::size_t dataset) const;
  const ComponentInfo& component(std::size_t dataset) const;
  /// Who is to blame when a call about a slide fails: "reading slide "a"".
  Origin origin(const Entry& entry, const std::string& doing) const;

 private:
  void list(std::size_t dataset);

  Experiment experiment_;  // a copy: a listing may outlive what it was made of, and be moved with it
  const Registry& registry_;
  std::vector<std::shared_ptr<Dataset>> datasets_;
  std::vector<std::vector<ChannelRule>> targets_;  // a dataset
  std::vector<Entry> slides_;
  std::vector<std::string> problems_;
};

/// For an error that one slide met: throws ConfigError when it concerns the dataset's parameters, and so every slide.
void require_of_one_slide(const Listing& listing, const Listing::Entry& entry, const std::exception& error);

}  // namespace nephron::host
