#include <algorithm>

#include <host/predict/scores.hpp>
#include <host/predict/threshold_search.hpp>
#include <host/util/fixed_number.hpp>
#include <host/util/listed.hpp>
#include <host/util/text_table.hpp>

namespace nephron::host {

namespace {

std::string of_classes(const std::vector<std::string>& classes, std::size_t c, const std::string& what) {
  return classes.size() > 1 ? what + " " + classes[c] : what;
}

}  // namespace

std::string TrainedOn::str() const {
  return "same " + by + (folds.size() == 1 ? ", fold " : ", folds ") + listed(folds);
}

std::vector<std::string> Scores::cautions() const {
  std::vector<std::string> out;
  if (searched()) out.emplace_back("threshold chosen on these pictures: optimistic");
  if (const std::size_t n = scored_and_trained_on(); n > 0)
    out.push_back((n == pictures.size() ? (n == 1 ? "the picture was" : "all pictures were")
                                        : std::to_string(n) + " of " + std::to_string(pictures.size()) + " pictures " +
                                              (n == 1 ? "was" : "were")) +
                  " trained on: Dice there says nothing of new pictures");
  return out;
}

std::string Scores::table(bool reduced) const {
  if (pictures.empty()) return {};
  const bool choice = searched(), known = scored_and_trained_on() > 0;
  std::vector<std::vector<std::string>> table;
  std::vector<std::string> head{"picture"};
  for (std::size_t c = 0; c < classes.size(); ++c) {
    head.push_back("Dice " + classes[c]);
    if (reduced) head.push_back(of_classes(classes, c, "reduced"));
  }
  for (std::size_t c = 0; c < classes.size(); ++c)
    head.push_back(of_classes(classes, c, choice ? "threshold chosen here" : "threshold"));
  for (std::size_t c = 0; choice && c < classes.size(); ++c) head.push_back(of_classes(classes, c, "own best"));
  if (known) head.emplace_back("trained on");
  table.push_back(head);
  const auto line = [&](const std::string& name, const PictureScore& score, const std::string& trained) {
    std::vector<std::string> cells{name};
    for (std::size_t c = 0; c < classes.size(); ++c) {
      cells.push_back(fixed_number(score.dice[c], 4));
      if (reduced) cells.push_back(fixed_number(score.dice_reduced[c], 4));
    }
    for (std::size_t c = 0; c < classes.size(); ++c) cells.push_back(fixed_number(score.threshold[c], 2));
    for (std::size_t c = 0; choice && c < classes.size(); ++c) {
      const bool none = score.curve_reduced.empty() || score.curve_reduced[c].empty();
      const std::size_t best = none ? half : best_of(score.curve_reduced[c]);
      cells.push_back(none ? ""
                           : fixed_number(score.curve_reduced[c][best], 4) + " @ " +
                                 fixed_number(searched_thresholds[best], 2));
    }
    if (known) cells.push_back(trained);
    table.push_back(std::move(cells));
  };
  for (const auto& [id, score] : pictures) {
    const auto found = trained_on.find(id);
    line(id, score, found == trained_on.end() ? "" : found->second.str());
  }
  line("mean", mean(), "");
  if (const PictureScore fresh = mean_of_new(); known && !fresh.dice.empty())
    line("mean of " + std::to_string(pictures.size() - scored_and_trained_on()) + " not trained on", fresh, "");
  std::string text = table_text(table);
  for (const std::string& caution : cautions()) text += "  " + caution + "\n";
  return text;
}

}  // namespace nephron::host
