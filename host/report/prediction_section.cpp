#include <host/report/prediction_section.hpp>

#include <algorithm>
#include <cmath>

#include <nephron/error.hpp>

#include <host/html/html.hpp>
#include <host/metrics/dice.hpp>
#include <host/predict/output_folder.hpp>
#include <host/predict/picture_file.hpp>
#include <host/predict/truth.hpp>
#include <host/report/figures.hpp>
#include <host/report/jpeg_uri.hpp>
#include <host/report/overlay.hpp>
#include <host/report/shown_picture.hpp>
#include <host/util/files.hpp>
#include <host/util/log.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

std::string scores_table(const Scores& scores) {
  std::vector<std::string> head{"picture"};
  for (const std::string& name : scores.classes) {
    head.push_back("Dice " + escaped(name));
    head.push_back("threshold");
  }
  const auto row = [&](const std::string& name, const PictureScore& score) {
    std::vector<std::string> cells{name};
    for (std::size_t c = 0; c < scores.classes.size(); ++c) {
      cells.push_back(std::isnan(score.dice[c]) ? "-" : with_bar(score.dice[c]));
      cells.push_back(figure(score.threshold[c], "%.2f"));
    }
    return cells;
  };
  std::vector<std::vector<std::string>> rows;
  for (const auto& [id, score] : scores.pictures) {
    const auto seen = scores.trained_on.find(id);
    const std::string mark = seen == scores.trained_on.end()
                                 ? ""
                                 : " <span class=\"fault\">trained on (" + escaped(seen->second.str()) + ")</span>";
    rows.push_back(row(escaped(id) + mark, score));
  }
  rows.push_back(row("<b>mean of " + std::to_string(scores.pictures.size()) + "</b>", scores.mean()));
  if (scores.pictures.size() > 1) {
    std::vector<std::string> cells{"<b>standard deviation</b>"};
    for (std::size_t c = 0; c < scores.classes.size(); ++c) {
      std::vector<double> dice, threshold;
      for (const auto& [id, score] : scores.pictures) {
        if (!std::isnan(score.dice[c])) dice.push_back(score.dice[c]);
        threshold.push_back(score.threshold[c]);
      }
      cells.push_back(dice.empty() ? "-" : figure(spread_of(dice).deviation));
      cells.push_back(figure(spread_of(threshold).deviation, "%.2f"));
    }
    rows.push_back(std::move(cells));
  }
  return "<div class=\"card\">" + html_table(head, rows) + "</div>\n";
}

/// What makes the figures better than they would be of new pictures.
std::string cautions(const Scores& scores) {
  std::string out;
  for (const std::string& caution : scores.cautions()) out += "<p class=\"fault\">" + escaped(caution) + "</p>\n";
  return out;
}

std::string failures_list(const Scores& scores) {
  if (scores.failures.empty()) return {};
  std::string out = "<div class=\"card\"><h3 class=\"fault\">Without a prediction</h3>";
  for (const auto& [id, why] : scores.failures) out += "<p><b>" + escaped(id) + "</b>: " + escaped(why) + "</p>";
  return out + "</div>\n";
}

std::string figure_html(const Image& picture, const std::string& caption, const std::string& alternative) {
  return "<figure><img src=\"" + jpeg_uri(picture.view()) + "\" alt=\"" + escaped(alternative) + "\"><figcaption>" +
         caption + "</figcaption></figure>";
}

/// Ids that have a prediction; the worst first where there are more than are shown, by name otherwise.
std::vector<std::string> chosen(const ReportRequest& request, const OutputFolder& output,
                                const PredictionRecord& record, std::size_t& all) {
  const Scores& scores = record.scores;
  std::vector<std::string> ids;
  for (const PictureFile& picture : record.pictures())
    if (output.complete(picture.id, {}) && !record.file_of(picture.id).empty()) ids.push_back(picture.id);
  all = ids.size();
  const auto most = static_cast<std::size_t>(std::max(0, request.pictures));
  if (ids.size() <= most) return ids;
  const auto dice = [&](const std::string& id) {
    double worst = 2;
    if (const auto found = scores.pictures.find(id); found != scores.pictures.end())
      for (const double dice_of_class : found->second.dice) worst = std::fmin(worst, dice_of_class);  // but NaN
    return worst;
  };
  std::stable_sort(ids.begin(), ids.end(),
                   [&](const std::string& a, const std::string& b) { return dice(a) < dice(b); });
  ids.resize(most);
  return ids;
}

/// What the cards of one prediction are made of.
class Cards {
 public:
  Cards(const ReportRequest& request, const fs::path& folder, const PredictionRecord& record)
      : record_(record), output_(folder, record.classes), pictures_(request.side) {}

  /// Throws Error that names the file for one of the prediction that is damaged; a person's own picture that is gone is
  /// told of in its card.
  std::string card(const std::string& id) {
    ShownPicture shown;
    try {
      shown = pictures_.read(record_.file_of(id));
    } catch (const Error& e) {
      log().warning("\"" + id + "\" is not shown: " + e.what());
      return "<div class=\"card\"><h3>" + escaped(id) + "</h3><p class=\"fault\">" + escaped(e.what()) + "</p></div>\n";
    }
    const std::vector<Image> truth = truth_of(id, shown);
    const Image ignored = fs::exists(output_.ignored(id)) ? shown_map(output_.ignored(id), shown) : Image();
    std::string out;
    for (std::size_t c = 0; c < record_.classes.size(); ++c)
      out += card_of_class(id, c, shown, truth.empty() ? Image() : truth[c], ignored);
    return out;
  }

 private:
  std::string card_of_class(const std::string& id, std::size_t c, const ShownPicture& shown, const Image& truth,
                            const Image& ignored) const {
    const Image mask = shown_map(output_.mask(c, id), shown);
    const fs::path tiff = output_.probability_tiff(c, id);
    const Image probability = shown_map(fs::exists(tiff) ? tiff : output_.probability(c, id), shown);
    const auto score = record_.scores.pictures.find(id);
    const std::string name = escaped(id) + (record_.classes.size() > 1 ? ", " + escaped(record_.classes[c]) : "");
    const bool scored = score != record_.scores.pictures.end() && !std::isnan(score->second.dice[c]);
    const std::string dice = scored ? "Dice " + figure(score->second.dice[c]) : "";
    return "<div class=\"card\"><div class=\"title\"><h3>" + name + "</h3><span>" + dice +
           "</span></div><div class=\"pair\">" +
           figure_html(outlined(shown.picture, mask, truth, ignored), outlines_caption(truth, ignored),
                       "outlines of " + id) +
           figure_html(heated(shown.picture, probability), "probability 0<span class=\"heat\"></span>1",
                       "probability of " + id) +
           "</div></div>\n";
  }

  static std::string outlines_caption(const Image& truth, const Image& ignored) {
    return std::string("<span class=\"legend\"><span><i class=\"line found\"></i>prediction</span>") +
           (truth.empty() ? "" : "<span><i class=\"line truth\"></i>truth, beneath it</span>") +
           (ignored.empty() ? "" : "<span>hatched: ignored, counts in no figure</span>") + "</span>";
  }

  /// What the prediction was compared with: as it was saved where a dataset's coding read it, or plain masks.
  std::vector<Image> truth_of(const std::string& id, const ShownPicture& shown) const {
    std::vector<Image> saved;
    for (std::size_t c = 0; c < record_.classes.size(); ++c)
      if (fs::exists(output_.truth(c, id))) saved.push_back(shown_map(output_.truth(c, id), shown));
    if (saved.size() == record_.classes.size()) return saved;
    if (record_.masks.empty() || !record_.scores.pictures.contains(id)) return {};
    std::vector<Image> out;
    for (Image& mask : TruthFolder(record_.masks, record_.classes).read(id, shown.full).of_class)
      out.push_back(resized(mask, shown.picture.size()));
    return out;
  }

  const PredictionRecord& record_;
  OutputFolder output_;
  ShownPictures pictures_;
};

}  // namespace

std::string prediction_section(const ReportRequest& request, const fs::path& folder, const PredictionRecord& record) {
  const Scores& scores = record.scores;
  const OutputFolder output(folder, record.classes);
  std::string out;
  if (!scores.pictures.empty()) out += "<h2>Dice of each picture</h2>\n" + cautions(scores) + scores_table(scores);
  out += failures_list(scores);
  std::size_t all = 0;
  const std::vector<std::string> ids = chosen(request, output, record, all);
  if (ids.empty()) return out;
  out += "<h2>Predictions</h2>\n";
  if (ids.size() < all)
    out +=
        "<p class=\"soft\">The " + std::to_string(ids.size()) + " worst of " + std::to_string(all) + " pictures.</p>\n";
  Cards cards(request, folder, record);
  for (const std::string& id : ids) out += cards.card(id);
  return out;
}

}  // namespace nephron::host
