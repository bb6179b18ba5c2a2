#include <host/data/overlaps.hpp>

#include <algorithm>
#include <bit>
#include <map>

#include <nephron/error.hpp>
#include <nephron/label_pixels.hpp>

namespace nephron::host {

namespace {

constexpr double most_share = 0.01;  // of labelled pixels, that several classes may have

/// Classes that a pixel with these label bits is a target of, as bits.
std::uint32_t targets_of(std::uint32_t bits, const std::vector<ChannelRule>& rules) {
  std::uint32_t out = 0;
  for (std::size_t c = 0; c < rules.size(); ++c)
    if (rules[c].weight > 0 && (bits & rules[c].any_of) != 0 && (bits & rules[c].none_of) == 0) out |= 1U << c;
  return out;
}

struct Overlaps {
  std::int64_t labelled = 0, several = 0;
  std::uint32_t classes = 0;  ///< of the first such pixel
  std::int64_t x = 0, y = 0;
};

class Search {
 public:
  explicit Search(const PreparedSlide& slide) : slide_(slide), ignored_(1U << slide.catalog().foreground.size()) {}

  Overlaps run() {
    const Size size = slide_.size();
    for (std::int64_t y = 0; y < size.height; y += side)
      for (std::int64_t x = 0; x < size.width; x += side)
        look({x, y, std::min(side, size.width - x), std::min(side, size.height - y)});
    return out_;
  }

 private:
  static constexpr std::int64_t side = 512;

  void look(const Region& region) {
    if (!slide_.any_label(region, first_bits(static_cast<int>(slide_.targets().size())))) return;
    const Image labels(region.size(), 1, slide_.label_depth());
    slide_.read(region, {}, labels.view());
    with_label_type(slide_.label_depth(), [&](auto zero) {
      for (std::int64_t y = 0; y < region.height; ++y) {
        const auto* const line = labels.view().row<const decltype(zero)>(y);
        for (std::int64_t x = 0; x < region.width; ++x)
          if (line[x] != 0) add(line[x], region.x + x, region.y + y);
      }
    });
  }

  void add(std::uint32_t bits, std::int64_t x, std::int64_t y) {
    if (slide_.ignores() && (bits & ignored_) != 0) return;
    const auto [known, fresh] = targets_.try_emplace(bits, 0);
    if (fresh) known->second = targets_of(bits, slide_.targets());
    out_.labelled += known->second != 0;
    if (std::popcount(known->second) < 2) return;
    if (out_.several++ == 0) out_.classes = known->second, out_.x = x, out_.y = y;
  }

  const PreparedSlide& slide_;
  std::uint32_t ignored_;
  std::map<std::uint32_t, std::uint32_t> targets_;  ///< by label bits
  Overlaps out_;
};

std::string names_of(std::uint32_t bits, const std::vector<std::string>& classes) {
  std::string out;
  for (std::size_t c = 0; c < classes.size(); ++c)
    if ((bits >> c & 1U) != 0) out += (out.empty() ? "\"" : " and \"") + classes[c] + "\"";
  return out;
}

}  // namespace

std::vector<std::string> check_exclusive(const Experiment& experiment, const PreparedData& data,
                                         const std::string& loss) {
  std::vector<std::string> out;
  if ((!experiment.exclusive && loss.empty()) || experiment.classes.size() < 2) return out;
  const std::string why = experiment.exclusive ? "which exclude each other"
                                               : "which the loss \"" + loss + "\" takes to exclude each other",
                    remedy = experiment.exclusive ? "exclusive = false trains each class for itself"
                                                  : "take a loss that looks at each class by itself";
  for (const auto& slide : data.slides) {
    if (!slide->annotated()) continue;
    const Overlaps found = Search(*slide).run();
    if (found.several == 0) continue;
    const std::string text = "slide \"" + slide->info().id + "\" has " + std::to_string(found.several) + " of " +
                             std::to_string(found.labelled) + " labelled pixels with several classes, " + why +
                             " (the first, at " + std::to_string(found.x) + "," + std::to_string(found.y) + ", has " +
                             names_of(found.classes, experiment.classes) + ")";
    if (static_cast<double>(found.several) > most_share * static_cast<double>(found.labelled))
      throw Error(text, remedy + "; or let the annotation have one class a pixel");
    out.push_back(text);
  }
  return out;
}

}  // namespace nephron::host
