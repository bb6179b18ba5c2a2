#include <host/data/shortfalls.hpp>

#include <algorithm>

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

}  // namespace nephron::host
