#include <host/feed/catalog.hpp>

#include <algorithm>
#include <numeric>

#include <host/data/folds.hpp>

namespace nephron::host {

PreparedCatalog::~PreparedCatalog() = default;

PreparedCatalog::PreparedCatalog(const Experiment& experiment, const PreparedData& data,
                                 const std::vector<std::size_t>& slides)
    : classes_(experiment.classes), tile_(experiment.data.tile) {
  for (const std::size_t i : slides) {
    if (i >= data.slides.size())
      throw Error("slide number " + std::to_string(i) + " was asked for; " + std::to_string(data.slides.size()) +
                  " are prepared");
    if (!data.slides[i]->annotated()) continue;
    slides_.push_back(data.slides[i]);
    entries_.push_back(data.slides[i]->catalog());
    datasets_.push_back(experiment.datasets.empty() ? "" : dataset_name(experiment, *data.slides[i]));
  }
  if (slides_.empty())
    throw Error("none of the " + std::to_string(slides.size()) + " slides chosen for this feed is annotated",
                "check the datasets' annotation folders, or choose fewer folds");
  compute_shares(experiment);
}

// A dataset's share is split over its groups, and what no dataset claims over the groups of the others, by foreground:
// as if they were one pool. Datasets that have no slide here give their share away.
void PreparedCatalog::compute_shares(const Experiment& experiment) {
  struct Group {
    std::string name;
    std::vector<double> foreground;  // a dataset
  };
  std::vector<Group> groups;
  std::vector<double> total(experiment.datasets.size());
  for (std::size_t i = 0; i < slides_.size(); ++i) {
    const CatalogSlide& entry = entries_[i];
    auto group = std::find_if(groups.begin(), groups.end(), [&](const Group& g) { return g.name == entry.group; });
    if (group == groups.end()) group = groups.insert(group, {entry.group, std::vector<double>(total.size())});
    // One pixel more, so that slides without foreground still count.
    const auto pixels =
        1 + static_cast<double>(std::accumulate(entry.foreground.begin(), entry.foreground.end(), std::int64_t{0}));
    group->foreground.at(slides_[i]->dataset()) += pixels;
    total.at(slides_[i]->dataset()) += pixels;
  }
  double claimed = 0, unclaimed_pixels = 0;
  for (std::size_t d = 0; d < total.size(); ++d) {
    if (experiment.datasets[d].share > 0) claimed += total[d] > 0 ? experiment.datasets[d].share : 0;
    else unclaimed_pixels += total[d];
  }
  const double left = std::max(0.0, 1 - claimed);
  double sum = 0;
  for (const Group& g : groups) {
    double share = 0;
    for (std::size_t d = 0; d < total.size(); ++d) {
      if (g.foreground[d] <= 0) continue;
      const double given = experiment.datasets[d].share;
      share += given > 0 ? given * g.foreground[d] / total[d] : left * g.foreground[d] / unclaimed_pixels;
    }
    shares_.emplace_back(g.name, share);
    sum += share;
  }
  if (!(sum > 0))
    throw Error("the shares of the datasets leave nothing to the slides at hand", "lower [[dataset]] share");
  for (auto& [name, share] : shares_) share /= sum;
}

std::int64_t PreparedCatalog::count(std::int64_t slide, const Region& region, std::uint32_t classes) const {
  return slides_.at(static_cast<std::size_t>(slide))->count(region, classes);
}

std::int64_t PreparedCatalog::tissue(std::int64_t slide, const Region& region) const {
  return slides_.at(static_cast<std::size_t>(slide))->tissue(region);
}

const std::vector<Region>& PreparedCatalog::objects(std::int64_t slide, std::size_t class_index) const {
  return slides_.at(static_cast<std::size_t>(slide))->objects(class_index);
}

std::optional<Pixel> PreparedCatalog::pixel(std::int64_t slide, std::size_t class_index, Rng& rng) const {
  return slides_.at(static_cast<std::size_t>(slide))->pixel(class_index, rng);
}

bool PreparedCatalog::any_label(std::int64_t slide, const Region& region, std::uint32_t classes) const {
  return slides_.at(static_cast<std::size_t>(slide))->any_label(region, classes);
}

}  // namespace nephron::host
