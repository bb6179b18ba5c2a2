#include <host/report/gallery.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <set>

#include <nephron/error.hpp>

#include <host/html/html.hpp>
#include <host/report/figures.hpp>
#include <host/report/gallery_choice.hpp>
#include <host/report/jpeg_uri.hpp>
#include <host/report/slide_crops.hpp>
#include <host/util/counted.hpp>
#include <host/util/log.hpp>
#include <host/util/shell_word.hpp>
#include <host/util/view_link.hpp>

namespace nephron::host {

namespace {

constexpr double on_screen = 700;  // px that what is shown takes in the viewer

std::string place(double v) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", v);
  return text;
}

std::string path_of(const std::vector<std::vector<Point>>& rings) {
  std::string out;
  for (const auto& ring : rings) {
    for (std::size_t i = 0; i < ring.size(); ++i)
      out += (i == 0 ? "M" : "L") + place(ring[i].x) + " " + place(ring[i].y);
    out += "Z";
  }
  return out;
}

std::string outline(const char* name, const std::vector<std::vector<Point>>& rings) {
  if (rings.empty()) return {};
  const std::string path = path_of(rings);
  return "<path class=\"edge " + std::string(name) + "\" d=\"" + path + "\"/><path class=\"" + name + "\" d=\"" + path +
         "\"/>";
}

/// Where no outline of a prediction was saved: its box.
std::string found_box(const ChosenObject& chosen, const SlideCrop& crop, double reduction, std::int64_t side) {
  const ValidatedObject* const found = chosen.object->found ? chosen.object : chosen.other;
  if (found == nullptr) return {};
  const double by = static_cast<double>(side) / static_cast<double>(crop.region.width);
  const auto x = [&](std::int64_t v) {
    return (static_cast<double>(v) * reduction - static_cast<double>(crop.region.x)) * by;
  };
  const auto y = [&](std::int64_t v) {
    return (static_cast<double>(v) * reduction - static_cast<double>(crop.region.y)) * by;
  };
  const Region& b = found->box;
  return outline("found", {{{x(b.x), y(b.y)},
                            {x(b.x + b.width), y(b.y)},
                            {x(b.x + b.width), y(b.y + b.height)},
                            {x(b.x), y(b.y + b.height)}}});
}

Region joined(const Region& a, const Region& b) {
  const std::int64_t left = std::min(a.x, b.x), top = std::min(a.y, b.y);
  return {left, top, std::max(a.x + a.width, b.x + b.width) - left, std::max(a.y + a.height, b.y + b.height) - top};
}

class Gallery {
 public:
  Gallery(const RunFolder& run, const ValidationRecord& record, const GalleryRequest& request)
      : record_(record), request_(request), rows_(gallery_rows(record, request.most)), crops_(run, record) {}

  std::string html() {
    make_figures();
    std::string out;
    for (const GalleryRow& row : rows_) {
      out +=
          "<h3>" + escaped(row.title) + " <span class=\"soft\">" + escaped(row.what) +
          (row.objects.size() < row.all ? "; " + std::to_string(row.objects.size()) + " of " + std::to_string(row.all)
                                        : "; " + std::to_string(row.all)) +
          "</span></h3>\n<div class=\"crops\">\n";
      for (const ChosenObject& chosen : row.objects) out += figures_.at(chosen.object);
      out += "</div>\n";
    }
    return out;
  }

  bool outlines() const { return outlines_; }

 private:
  /// Slide by slide, so that each is opened once.
  void make_figures() {
    std::vector<const ChosenObject*> order;
    for (const GalleryRow& row : rows_)
      for (const ChosenObject& chosen : row.objects) order.push_back(&chosen);
    std::stable_sort(order.begin(), order.end(),
                     [](const ChosenObject* a, const ChosenObject* b) { return a->object->slide < b->object->slide; });
    for (const ChosenObject* chosen : order)
      if (!figures_.contains(chosen->object)) figures_[chosen->object] = figure_of(*chosen);
  }

  std::string figure_of(const ChosenObject& chosen) {
    const ValidatedObject& o = *chosen.object;
    const ValidatedSlide& slide = record_.slides[o.slide];
    try {
      const SlideCrop crop = crops_.crop(
          o.slide, o.class_index, chosen.other == nullptr ? o.box : joined(o.box, chosen.other->box), request_.side);
      const bool saved = crops_.saved(o.slide);
      outlines_ = outlines_ && saved;
      const std::string side = std::to_string(request_.side);
      return "<figure class=\"crop\"><svg viewBox=\"0 0 " + side + " " + side + "\" role=\"img\" aria-label=\"" +
             escaped(slide.id) + "\"><image href=\"" + jpeg_uri(crop.picture.view(), 80) + "\" width=\"" + side +
             "\" height=\"" + side + "\"/>" + outline("truth", crop.truth) +
             (saved ? outline("found", crop.found)
                    : found_box(chosen, crop, crops_.reduction(o.slide), request_.side)) +
             "</svg><figcaption>" + caption(chosen, crop) + "</figcaption></figure>\n";
    } catch (const Cancelled&) {
      throw;
    } catch (const DamagedSaving&) {
      throw;
    } catch (const Error& e) {
      if (failed_.insert(o.slide).second) log().warning("slide \"" + slide.id + "\" is not shown: " + e.what());
      return "<figure class=\"crop\"><div class=\"gone fault\">" + escaped(e.what()) + "</div><figcaption>" +
             escaped(slide.id) + "</figcaption></figure>\n";
    }
  }

  std::string caption(const ChosenObject& chosen, const SlideCrop& crop) const {
    const ValidatedObject& o = *chosen.object;
    const ValidatedObject* const found = o.found ? &o : chosen.other;
    std::string out;
    const auto add = [&](const std::string& text) { out += (out.empty() ? "" : " · ") + text; };
    if (chosen.other != nullptr) add("<b>IoU " + figure(o.iou, "%.2f") + "</b>");
    if (found != nullptr && std::isfinite(found->confidence))
      add((chosen.other == nullptr ? "<b>confidence " : "confidence ") + figure(found->confidence, "%.2f") +
          (chosen.other == nullptr ? "</b>" : ""));
    if (std::isfinite(o.diameter)) add("⌀ " + figure(o.diameter, "%.0f") + " µm");
    else add(std::to_string(o.area) + " px");
    if (record_.classes.size() > 1) add(escaped(record_.classes[o.class_index]));
    if (chosen.other != nullptr && o.other_class != o.class_index)
      add("found as " + escaped(record_.classes[o.other_class]));
    const ValidatedSlide& slide = record_.slides[o.slide];
    const Region& seen = crop.region;
    const std::string link = view_link(slide.id, static_cast<double>(seen.x) + static_cast<double>(seen.width) / 2,
                                       static_cast<double>(seen.y) + static_cast<double>(seen.height) / 2,
                                       static_cast<double>(seen.width), on_screen);
    const std::int64_t x = seen.x + seen.width / 2, y = seen.y + seen.height / 2;
    return out + "<br><a class=\"look\" href=\"#viewer\" data-view=\"" + escaped(link) + "\">" + escaped(slide.id) +
           " at " + std::to_string(x) + ", " + std::to_string(y) + "</a>";
  }

  const ValidationRecord& record_;
  const GalleryRequest& request_;
  std::vector<GalleryRow> rows_;
  SlideCrops crops_;
  std::map<const ValidatedObject*, std::string> figures_;
  std::set<std::size_t> failed_;
  bool outlines_ = true;  ///< of predictions, of all slides that are shown
};

std::string key(bool outlines, const GalleryRequest& request) {
  return "<p class=\"legend\"><span><i class=\"line truth\"></i>truth</span><span><i class=\"line found\"></i>" +
         std::string(outlines ? "prediction" : "box of the prediction") +
         "</span><span class=\"screen\">pointing at a picture hides the outlines</span></p>\n" +
         (outlines
              ? ""
              : "<p class=\"soft\">Outlines of predictions are drawn where the validation saved its masks: <code>" +
                    escaped(request.validate) + "</code></p>\n");
}

std::string viewer_address(const RunFolder& run) {
  return "<p class=\"soft looking\" id=\"viewer\">To look at a place in its slide: <code>nephron view " +
         escaped(shell_word(run.folder().string())) +
         "</code> prints an address; put it here, and the names of slides below lead there. <input type=\"url\" "
         "placeholder=\"http://127.0.0.1:PORT/TOKEN/\" aria-label=\"Address of the viewer\"></p>\n";
}

}  // namespace

std::string gallery_section(const RunFolder& run, const ValidationRecord& record, const GalleryRequest& request) {
  if (record.objects.empty() || request.most == 0) return {};
  const std::string head = "<h2>The worst and the best</h2>\n";
  try {
    Gallery gallery(run, record, request);
    const std::string rows = gallery.html();
    return head + viewer_address(run) + key(gallery.outlines(), request) + rows;
  } catch (const Cancelled&) {
    throw;
  } catch (const DamagedSaving&) {
    throw;
  } catch (const Error& e) {
    log().warning(std::string("no objects are shown, since the run's datasets cannot be read: ") + e.what());
    return head + "<p class=\"fault\">The slides of this run cannot be read here: " + escaped(e.what()) + "</p>\n";
  }
}

}  // namespace nephron::host
