#include <host/report/prediction_section.hpp>

#include <algorithm>
#include <cstdio>

#include <nephron/error.hpp>

#include <host/html/html.hpp>
#include <host/metrics/dice.hpp>
#include <host/predict/output_folder.hpp>
#include <host/predict/picture_file.hpp>
#include <host/predict/truth.hpp>
#include <host/report/jpeg_uri.hpp>
#include <host/report/overlay.hpp>
#include <host/util/files.hpp>
#include <host/util/log.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

std::string figure(double value, const char* format = "%.4f") {
  char text[32];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

std::string with_bar(double dice) {
  return "<span class=\"bar\"><i style=\"width:" + figure(100 * std::clamp(dice, 0.0, 1.0), "%.1f") +
         "%\"></i></span>" + figure(dice);
}

std::string scores_table(const Scores& scores) {
  std::vector<std::string> head{"picture"};
  for (const std::string& name : scores.classes) {
    head.push_back("Dice " + escaped(name));
    head.push_back("threshold");
  }
  const auto row = [&](const std::string& name, const PictureScore& score) {
    std::vector<std::string> cells{name};
    for (std::size_t c = 0; c < scores.classes.size(); ++c) {
      cells.push_back(with_bar(score.dice[c]));
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
        dice.push_back(score.dice[c]);
        threshold.push_back(score.threshold[c]);
      }
      cells.push_back(figure(spread_of(dice).deviation));
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
  for (const PictureFile& picture : record.pictures()) {
    // What has a TIFF map is a slide for a viewer, not a picture for a page.
    if (output.complete(picture.id, {}) && fs::exists(output.probability(0, picture.id)) &&
        !record.file_of(picture.id).empty())
      ids.push_back(picture.id);
  }
  all = ids.size();
  const auto most = static_cast<std::size_t>(std::max(0, request.pictures));
  if (ids.size() <= most) return ids;
  const auto dice = [&](const std::string& id) {
    const auto found = scores.pictures.find(id);
    return found == scores.pictures.end() ? 2.0
                                          : *std::min_element(found->second.dice.begin(), found->second.dice.end());
  };
  std::stable_sort(ids.begin(), ids.end(),
                   [&](const std::string& a, const std::string& b) { return dice(a) < dice(b); });
  ids.resize(most);
  return ids;
}

Image first_channel(const Image& rgb) {
  Image out(rgb.size(), 1);
  for (std::int64_t y = 0; y < rgb.size().height; ++y) {
    const std::uint8_t* const from = rgb.view().row<const std::uint8_t>(y);
    for (std::int64_t x = 0; x < rgb.size().width; ++x) out.view().row<std::uint8_t>(y)[x] = from[3 * x];
  }
  return out;
}

/// Of what the prediction was compared with, the pixels that were left out.
Image ignored_of(const OutputFolder& output, const std::string& id) {
  return fs::exists(output.ignored(id)) ? read_mask(output.ignored(id)) : Image();
}

/// What the prediction was compared with: as it was saved where a dataset's coding read it, or plain masks.
std::vector<Image> truth_of(const OutputFolder& output, const PredictionRecord& record, const std::string& id,
                            Size size) {
  std::vector<Image> saved;
  for (std::size_t c = 0; c < record.classes.size(); ++c)
    if (fs::exists(output.truth(c, id))) saved.push_back(read_mask(output.truth(c, id)));
  if (saved.size() == record.classes.size()) return saved;
  if (record.masks.empty() || !record.scores.pictures.contains(id)) return {};
  return TruthFolder(record.masks, record.classes).read(id, size).of_class;
}

std::string card(const ReportRequest& request, const OutputFolder& output, const PredictionRecord& record,
                 const std::string& id) {
  const Image picture = read_picture(record.file_of(id));
  const std::vector<Image> truth = truth_of(output, record, id, picture.size());
  const Image ignored = ignored_of(output, id);
  const auto score = record.scores.pictures.find(id);
  std::string out;
  for (std::size_t c = 0; c < record.classes.size(); ++c) {
    const Image mask = read_mask(output.mask(c, id));
    const Image probability = first_channel(read_picture(output.probability(c, id)));
    const std::string name = escaped(id) + (record.classes.size() > 1 ? ", " + escaped(record.classes[c]) : "");
    const std::string dice = score == record.scores.pictures.end() ? "" : "Dice " + figure(score->second.dice[c]);
    out +=
        "<div class=\"card\"><div class=\"title\"><h3>" + name + "</h3><span>" + dice +
        "</span></div><div class=\"pair\">" +
        figure_html(
            outlined(picture, mask, truth.empty() ? Image() : truth[c], request.side, ignored),
            truth.empty()
                ? "<b style=\"color:var(--good)\">prediction</b>"
                : "<b style=\"color:var(--good)\">prediction</b>, <b style=\"color:var(--bad)\">truth</b> beneath it" +
                      std::string(ignored.empty() ? "" : "; hatched: ignored, counts in no figure"),
            "outlines of " + id) +
        figure_html(heated(picture, probability, request.side), "probability 0<span class=\"heat\"></span>1",
                    "probability of " + id) +
        "</div></div>\n";
  }
  return out;
}

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
  for (const std::string& id : ids) {
    try {
      out += card(request, output, record, id);
    } catch (const Error& e) {
      log().warning("\"" + id + "\" is not shown: " + e.what());
      out += "<div class=\"card\"><h3>" + escaped(id) + "</h3><p class=\"fault\">" + escaped(e.what()) + "</p></div>\n";
    }
  }
  return out;
}

}  // namespace nephron::host
