#pragma once

#include <memory>
#include <utility>
#include <vector>

#include <nephron/sampler.hpp>

#include <host/data/prepared.hpp>

namespace nephron::host {

/// Some prepared slides, as samplers see them. Slides without annotation are left out: nothing can be learnt from them.
class PreparedCatalog final : public Catalog, public ColourBook {
 public:
  /// `slides`: indices into data.slides. Throws Error when none of them is annotated.
  PreparedCatalog(const Experiment& experiment, const PreparedData& data, const std::vector<std::size_t>& slides);
  ~PreparedCatalog() override;

  const std::vector<CatalogSlide>& slides() const noexcept override { return entries_; }
  const std::vector<std::pair<std::string, double>>& shares() const noexcept override { return shares_; }
  bool any_label(std::int64_t slide, const Region& region, std::uint32_t classes) const override;
  const std::vector<std::string>& classes() const noexcept override { return classes_; }
  std::optional<Pixel> pixel(std::int64_t slide, std::size_t class_index, Rng& rng) const override;

  std::int64_t count(std::int64_t slide, const Region& region, std::uint32_t classes) const override;
  std::int64_t tissue(std::int64_t slide, const Region& region) const override;
  const std::vector<Region>& objects(std::int64_t slide, std::size_t class_index) const override;
  std::int64_t tile() const noexcept override { return tile_; }

  std::size_t size() const noexcept override { return slides_.size(); }
  const SlideColours* colours(std::size_t slide) const override { return slides_.at(slide)->colours(); }
  /// Name of its dataset.
  const std::string& dataset(std::int64_t slide) const { return datasets_.at(static_cast<std::size_t>(slide)); }
  const PreparedSlide& slide(std::int64_t index) const { return *slides_.at(static_cast<std::size_t>(index)); }

 private:
  void compute_shares(const Experiment& experiment);

  std::vector<std::shared_ptr<const PreparedSlide>> slides_;
  std::vector<CatalogSlide> entries_;
  std::vector<std::string> datasets_;
  std::vector<std::string> classes_;
  std::int64_t tile_;
  std::vector<std::pair<std::string, double>> shares_;
};

}  // namespace nephron::host
