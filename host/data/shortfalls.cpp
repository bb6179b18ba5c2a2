#include <host/data/shortfalls.hpp>

#include <algorithm>

#include <nephron/error.hpp>
#include <nephron/fold_rules.hpp>

#include <host/data/folds.hpp>
#include <host/util/counted.hpp>

namespace nephron::host {

namespace {

void find_unannotated(const PreparedData& data, std::vector<std::string>& out) {
  std::vector<std::string> ids;
  for (const auto& slide : data.slides)
    if (!slide->annotated()) ids.push_back(slide->info().id);
  if (!ids.empty())
    out.push_back(counted(ids.size(), "slide") +
                  " without annotation, which nothing is learnt from: " + list_of_names(ids));
}

void find_of_no_fold(const Experiment& experiment, const PreparedData& data, std::vector<std::string>& out) {
  std::vector<std::string> ids;
  for (const auto& slide : data.slides) {
    const auto* rules = dynamic_cast<const FoldRules*>(data.datasets.at(slide->dataset()).get());
    if (rules != nullptr && rules->only_fold(slide->info()) >= std::max(1, experiment.data.folds.count))
      ids.push_back(slide->info().id);
  }
  if (!ids.empty())
    out.push_back(counted(ids.size(), "slide") + " only for folds that there are not (data.folds.count is " +
                  std::to_string(experiment.data.folds.count) + "), which are never trained on: " + list_of_names(ids));
}

/// Whether a target channel has a labelled pixel that counts in one of the slides.
bool labelled(const PreparedData& data, const std::vector<std::size_t>& slides, std::size_t channel) {
  return std::any_of(slides.begin(), slides.end(), [&](std::size_t i) {
    const ChannelRule& rule = data.slides[i]->targets().at(channel);
    const auto& foreground = data.slides[i]->catalog().foreground;
    for (std::size_t bit = 0; rule.weight > 0 && bit < foreground.size(); ++bit)
      if ((rule.any_of >> bit & 1) != 0 && foreground[bit] > 0) return true;
    return false;
  });
}

void find_unlabelled_classes(const Experiment& experiment, const PreparedData& data, int fold,
                             std::vector<std::string>& out) {
  const FoldSlides slides = slides_of(data, fold);
  const std::string name = "fold " + std::to_string(fold);
  for (std::size_t c = 0; c < experiment.classes.size(); ++c) {
    const std::string text = "class \"" + experiment.classes[c] + "\" has no labelled pixel in the slides that " + name;
    if (!labelled(data, slides.training, c)) out.push_back(text + " trains on: it will not be learnt");
    if (!slides.held_out.empty() && !labelled(data, slides.held_out, c))
      out.push_back(text + " holds out: its Dice there says nothing");
  }
}

}  // namespace

std::vector<std::string> shortfalls(const Experiment& experiment, const PreparedData& data,
                                    const std::vector<int>& which) {
  std::vector<std::string> out;
  find_unannotated(data, out);
  find_of_no_fold(experiment, data, out);
  for (const int k : which) find_unlabelled_classes(experiment, data, k, out);
  return out;
}

namespace {

void require_large_enough(const Experiment& experiment, const PreparedData& data,
                          const std::vector<std::size_t>& slides, const std::string& fold) {
  const std::int64_t tile = experiment.data.tile;
  const PreparedSlide* largest = nullptr;
  for (const std::size_t i : slides) {
    const PreparedSlide& slide = *data.slides[i];
    if (slide.size().width >= tile || slide.size().height >= tile) return;
    if (largest == nullptr || slide.size().area() > largest->size().area()) largest = &slide;
  }
  if (largest == nullptr) return;  // said elsewhere
  throw Error("tiles of " + std::to_string(tile) + " px are larger than every slide that " + fold +
                  " trains on; the largest, \"" + largest->info().id + "\", has " +
                  std::to_string(largest->size().width) + " x " + std::to_string(largest->size().height) +
                  " px when it is reduced by " + largest->reduction().str(),
              "lower data.tile, or reduce slides less: data.factor or data.mpp");
}

/// Whether there is a labelled pixel of any class; probability maps may hold some below one half.
bool any_label(const Experiment& experiment, const PreparedData& data, const std::vector<std::size_t>& slides) {
  for (const std::size_t i : slides)
    if (data.slides[i]->soft_classes() != 0) return true;
  for (std::size_t c = 0; c < experiment.classes.size(); ++c)
    if (labelled(data, slides, c)) return true;
  return false;
}

}  // namespace

void require_possible(const Experiment& experiment, const PreparedData& data, const std::vector<int>& which) {
  for (const int k : which) {
    const FoldSlides slides = slides_of(data, k);
    const std::string fold = "fold " + std::to_string(k);
    require_large_enough(experiment, data, slides.training, fold);
    if (!slides.training.empty() && !any_label(experiment, data, slides.training))
      throw Error("no class has a labelled pixel in the slides that " + fold + " trains on: nothing would be learnt",
                  "\"classes\" has to name them as the annotation does; nephron data stats shows what is there");
    if (!slides.held_out.empty() && !any_label(experiment, data, slides.held_out))
      throw Error("no class has a labelled pixel in the slides that " + fold +
                      " holds out: the best weights would be those that find nothing",
                  "deal the folds otherwise (data.folds, or dataset.hold_out = false), or leave this fold out");
  }
}

}  // namespace nephron::host
