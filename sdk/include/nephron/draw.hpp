#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <nephron/parameter_check.hpp>
#include <nephron/sampler.hpp>

// What samplers draw alike. Each call uses up one number of the generator where it does not say
// otherwise, for equal streams in every sampler.
namespace nephron {

/// Index of a weight, with a probability in proportion to it: `u` is drawn from 0 to the sum of the weights, none of
/// them negative. What weighs 0 is not chosen, unless everything does; then it is the first.
inline std::size_t chosen_by(const std::vector<double>& weights, double u) {
  std::size_t chosen = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] <= 0) continue;
    chosen = i;
    if ((u -= weights[i]) < 0) break;
  }
  return chosen;
}

/// One of n things, each as likely as the others.
inline std::size_t choose_alike(std::size_t n, Rng& rng) {
  return static_cast<std::size_t>(rng.integer(0, static_cast<std::int64_t>(n) - 1));
}

/// A sampling group of the catalogue, by its share. There is one at least.
inline const std::string& choose_group(const Catalog& catalog, Rng& rng) {
  std::vector<double> shares;
  for (const auto& group : catalog.shares()) shares.push_back(group.second);
  return catalog.shares()[chosen_by(shares, rng.uniform())].first;
}

/// A slide of the group, with a probability in proportion to weight(index of the slide).
template <class Weight>
std::int64_t choose_slide(const Catalog& catalog, const std::string& group, const Weight& weight, Rng& rng) {
  double sum = 0;
  std::vector<double> weights(catalog.slides().size());
  for (std::size_t i = 0; i < weights.size(); ++i)
    if (catalog.slides()[i].group == group) sum += weights[i] = weight(i);
  return static_cast<std::int64_t>(chosen_by(weights, rng.uniform(0, sum)));
}

/// Numbers of the catalogue's classes that are named, rising; of all when no name is given.
inline std::vector<std::size_t> classes_named(const Catalog& catalog, const std::vector<std::string>& names) {
  std::vector<std::size_t> out;
  for (std::size_t c = 0; c < catalog.classes().size(); ++c)
    if (names.empty() || std::find(names.begin(), names.end(), catalog.classes()[c]) != names.end()) out.push_back(c);
  return out;
}

/// Tells of names, under a parameter's key, that are none of the experiment's classes or stand there twice.
inline void require_classes(std::string_view key, const std::vector<std::string>& names,
                            const std::vector<std::string>& classes, ParameterFaults& faults) {
  const std::string begin = "\"" + std::string(key) + "\" names \"";
  for (auto name = names.begin(); name != names.end(); ++name) {
    if (std::find(classes.begin(), classes.end(), *name) == classes.end())
      faults.add(key, begin + *name + "\", which the experiment has not");
    if (std::find(names.begin(), name, *name) != name)
      faults.add(key, begin + *name + "\" twice", "each class counts once");
  }
}

/// Where a window can begin along a side of a slide: a slide that is smaller lies wholly inside it.
struct WindowPlaces {
  std::int64_t first, last;
  WindowPlaces(std::int64_t side, std::int64_t window)
      : first(std::min<std::int64_t>(0, side - window)), last(std::max<std::int64_t>(0, side - window)) {}
  std::int64_t draw(Rng& rng) const { return rng.integer(first, last); }
};

/// A window anywhere on the slide, each place as likely as the others. Uses up two numbers.
inline Window window_anywhere(const Catalog& catalog, std::int64_t slide, std::int64_t window, Rng& rng) {
  const Size size = catalog.slides()[static_cast<std::size_t>(slide)].size;
  const std::int64_t x = WindowPlaces(size.width, window).draw(rng);
  return {slide, {x, WindowPlaces(size.height, window).draw(rng), window, window}};
}

/// The tile that is cut from a window's middle.
inline Region tile_of(const Catalog& catalog, const Window& window) {
  const Region& w = window.region;
  const std::int64_t side = std::min(catalog.tile(), w.width), margin = (w.width - side) / 2;
  return {w.x + margin, w.y + margin, side, side};
}

/// True when so large a share of a window's tile is tissue and not glass; of 0 it always is.
inline bool shows_tissue(const Catalog& catalog, const Window& window, double share) {
  if (share <= 0) return true;
  const Region tile = tile_of(catalog, window);
  return static_cast<double>(catalog.tissue(window.slide, tile)) >= share * static_cast<double>(tile.size().area());
}

}  // namespace nephron
