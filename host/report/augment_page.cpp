#include <host/report/augment_page.hpp>

#include <host/html/html.hpp>
#include <host/report/data_page.hpp>
#include <host/report/jpeg_uri.hpp>

namespace nephron::host {

namespace {

std::string figure(const Image& picture, const std::string& caption, std::int64_t side) {
  return "<figure style=\"width:" + std::to_string(std::min(side, picture.size().width)) + "px\"><img src=\"" +
         jpeg_uri(shown_at(picture, side).view()) + "\" alt=\"\"><figcaption>" + escaped(caption) +
         "</figcaption></figure>";
}

}  // namespace

std::string augment_page(const Experiment& experiment, const std::vector<PreviewRow>& rows, const std::string& about,
                         std::int64_t side) {
  std::string body = "<h1>" + escaped(experiment.name) + ": augmentations</h1><p class=\"soft\">" + escaped(about) +
                     "</p>" + class_legend(experiment.classes, false, true);
  for (const PreviewRow& row : rows) {
    body += "<h2>" + escaped(row.title) + "</h2><p class=\"soft\">" + escaped(row.what) +
            "</p><div style=\"display:flex;gap:8px;overflow-x:auto\">" + figure(row.original, "original", side);
    for (const PreviewRow::Draw& draw : row.draws) body += figure(draw.picture, draw.caption, side);
    body += "</div>";
  }
  return html_page(experiment.name + ": augmentations", body);
}

}  // namespace nephron::host
