#include <algorithm>
#include <cstdio>

#include <host/predict/scores.hpp>
#include <host/predict/threshold_search.hpp>

namespace nephron::host {

namespace {

std::string printed(const char* format, double value) {
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

std::string padded(std::string text, std::size_t width) {
  text.resize(std::max(width, text.size()), ' ');
  return text;
}

std::string of_classes(const std::vector<std::string>& classes, std::size_t c, const std::string& what) {
  return classes.size() > 1 ? what + " " + classes[c] : what;
}

/// Cells of text, the columns as wide as they need to be.
class TextTable {
 public:
  void row(std::vector<std::string> cells) {
    widths_.resize(std::max(widths_.size(), cells.size()));
    for (std::size_t i = 0; i < cells.size(); ++i) widths_[i] = std::max(widths_[i], cells[i].size());
    rows_.push_back(std::move(cells));
  }
  std::string str() const {
    std::string out;
    for (const auto& cells : rows_) {
      std::string line;
      for (std::size_t i = 0; i < cells.size(); ++i) line += (i > 0 ? "  " : "") + padded(cells[i], widths_[i]);
      line.erase(line.find_last_not_of(' ') + 1);
      out += line + "\n";
    }
    return out;
  }

 private:
  std::vector<std::vector<std::string>> rows_;
  std::vector<std::size_t> widths_;
};

}  // namespace

std::string TrainedOn::str() const {
  std::string out = "same " + by + (folds.size() == 1 ? ", fold " : ", folds ");
  for (std::size_t i = 0; i < folds.size(); ++i) out += (i > 0 ? ", " : "") + std::to_string(folds[i]);
  return out;
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
  TextTable table;
  std::vector<std::string> head{"picture"};
  for (std::size_t c = 0; c < classes.size(); ++c) {
    head.push_back("Dice " + classes[c]);
    if (reduced) head.push_back(of_classes(classes, c, "reduced"));
  }
  for (std::size_t c = 0; c < classes.size(); ++c)
    head.push_back(of_classes(classes, c, choice ? "threshold chosen here" : "threshold"));
  for (std::size_t c = 0; choice && c < classes.size(); ++c) head.push_back(of_classes(classes, c, "own best"));
  if (known) head.emplace_back("trained on");
  table.row(head);
  const auto line = [&](const std::string& name, const PictureScore& score, const std::string& trained) {
    std::vector<std::string> cells{name};
    for (std::size_t c = 0; c < classes.size(); ++c) {
      cells.push_back(printed("%.4f", score.dice[c]));
      if (reduced) cells.push_back(printed("%.4f", score.dice_reduced[c]));
    }
    for (std::size_t c = 0; c < classes.size(); ++c) cells.push_back(printed("%.2f", score.threshold[c]));
    for (std::size_t c = 0; choice && c < classes.size(); ++c) {
      const std::size_t best = score.curve_reduced.empty() ? half : best_of(score.curve_reduced[c]);
      cells.push_back(score.curve_reduced.empty() ? ""
                                                  : printed("%.4f", score.curve_reduced[c][best]) +
                                                        printed(" @ %.2f", searched_thresholds[best]));
    }
    if (known) cells.push_back(trained);
    table.row(std::move(cells));
  };
  for (const auto& [id, score] : pictures) {
    const auto found = trained_on.find(id);
    line(id, score, found == trained_on.end() ? "" : found->second.str());
  }
  line("mean", mean(), "");
  if (const PictureScore fresh = mean_of_new(); known && !fresh.dice.empty())
    line("mean of " + std::to_string(pictures.size() - scored_and_trained_on()) + " not trained on", fresh, "");
  std::string text = table.str();
  for (const std::string& caution : cautions()) text += "  " + caution + "\n";
  return text;
}

}  // namespace nephron::host
