#include <host/feed/chain_preview.hpp>

#include <algorithm>
#include <set>

#include <opencv2/imgproc.hpp>

#include <nephron/error.hpp>
#include <nephron/image_cv.hpp>
#include <nephron/label_pixels.hpp>

#include <host/config/components.hpp>
#include <host/feed/augmenter.hpp>
#include <host/feed/execute.hpp>
#include <host/feed/preview.hpp>
#include <host/util/interrupt.hpp>
#include <host/util/progress.hpp>

namespace nephron::host {

namespace {

/// Components of a chain with their places: "augmentation[2].of[0]". One that holds others comes before these.
template <class Link>
void collect(const std::vector<Link>& links, const std::string& path, std::vector<std::pair<std::string, Link>>& out) {
  for (std::size_t i = 0; i < links.size(); ++i) {
    if (links[i].component.type == normalise_link) continue;  // the original has gone through it
    const std::string place = path + "[" + std::to_string(i) + "]";
    out.emplace_back(place, links[i]);
    collect(links[i].of, place + ".of", out);
  }
}

/// one_of, sequence, some_of.
template <class Link>
bool holds_others(const Link& link) {
  return is_combinator("augmentation", link.component.type);
}

/// What a row shows, for its title: parameters, or what is chosen from.
template <class Link>
std::string contents_of(const Link& link) {
  if (!holds_others(link)) return link.component.params.str();
  std::string out;
  for (const Link& inner : link.of) out += (out.empty() ? "of " : ", ") + inner.component.type;
  return out;
}

/// A window with a plan carried out on it.
struct Drawn {
  Image image;
  std::vector<std::uint8_t> labels;   // [C, H, W], 0 or 255
  std::vector<std::uint8_t> ignored;  // [H, W]
};

class Drawer {
 public:
  Drawer(const Experiment& experiment, const RawWindow& window)
      : classes_(experiment.classes.size()),
        window_(window),
        side_(std::min({experiment.data.tile, window.info.size.width, window.info.size.height})),
        executor_(make_cpu_executor(geometry_of(experiment.data))) {}

  Drawn draw(const RecordedPlan& plan) {
    const Region tile{(window_.info.size.width - side_) / 2, (window_.info.size.height - side_) / 2, side_, side_};
    const auto source = [this](const Region& part, const ImageView& image, const std::vector<ImageView>& planes) {
      as_mat(window_.image.view().crop(part)).copyTo(as_mat(image));
      const ImageView from = window_.labels.view().crop(part);
      for (std::int64_t y = 0; y < from.height; ++y)
        std::copy_n(from.row<const std::uint8_t>(y),
                    static_cast<std::size_t>(from.width) * static_cast<std::size_t>(from.pixel_bytes()),
                    planes.at(0).row<std::uint8_t>(y));
    };
    Drawn out{Image({side_, side_}, 3), {}, {}};
    const Image labels({side_, side_}, 1, window_.labels.view().depth);
    executor_->run(plan, tile, source, out.image.view(), {labels.view()});
    split(labels.view(), out);
    return out;
  }

  /// The tile with its labels outlined.
  Image outlined(Drawn drawn) const {
    hatch_ignored(drawn.image.view(), drawn.ignored);
    outline_labels(drawn.image.view(), drawn.labels, std::vector<float>(classes_, 1.0F));
    return drawn.image;
  }

 private:
  void split(const ImageView& labels, Drawn& to) const {
    const auto pixels = static_cast<std::size_t>(side_ * side_);
    to.labels.resize(classes_ * pixels);
    to.ignored.resize(pixels);
    with_label_type(labels.depth, [&](auto zero) {
      const auto* bits = labels.row<const decltype(zero)>(0);
      for (std::size_t i = 0; i < pixels; ++i) {
        const std::uint64_t all = bits[i];
        for (std::size_t c = 0; c < classes_; ++c) to.labels[c * pixels + i] = (all >> c & 1U) != 0 ? 255 : 0;
        to.ignored[i] = (all >> classes_ & 1U) != 0 ? 1 : 0;
      }
    });
  }

  std::size_t classes_;
  const RawWindow& window_;
  std::int64_t side_;
  std::unique_ptr<Executor> executor_;
};

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
  return out.empty() ? "nothing" : out;
}

}  // namespace

template <class Link>
std::vector<std::pair<PreviewRow, std::vector<Link>>> preview_chains(const std::vector<Link>& links,
                                                                     const std::string& root,
                                                                     const ChainPreviewOptions& options) {
  std::vector<std::pair<std::string, Link>> components;
  collect(links, root, components);
  std::vector<std::pair<PreviewRow, std::vector<Link>>> out;
  const auto leaves = std::count_if(components.begin(), components.end(),
                                    [](const auto& placed) { return !holds_others(placed.second); });
  if (options.components.empty() && leaves > 1) out.push_back({{"the whole chain", root, {}, {}}, links});
  std::set<std::string> shown;
  for (auto& [place, link] : components) {
    const std::string& type = link.component.type;
    const bool named =
        std::find(options.components.begin(), options.components.end(), type) != options.components.end();
    if (!named && (!options.components.empty() || holds_others(link))) continue;
    const std::string contents = contents_of(link);
    if (!shown.insert(holds_others(link) ? place : type + contents).second) continue;
    link.p = 1;
    out.push_back({{type, place + " " + contents, {}, {}}, {link}});
  }
  return out;
}
template std::vector<std::pair<PreviewRow, std::vector<AugmentationConfig>>> preview_chains(
    const std::vector<AugmentationConfig>&, const std::string&, const ChainPreviewOptions&);
template std::vector<std::pair<PreviewRow, std::vector<BatchAugmentationConfig>>> preview_chains(
    const std::vector<BatchAugmentationConfig>&, const std::string&, const ChainPreviewOptions&);

std::vector<std::string> chain_components(const Experiment& experiment) {
  std::set<std::string> out;
  std::vector<std::pair<std::string, AugmentationConfig>> of_samples;
  std::vector<std::pair<std::string, BatchAugmentationConfig>> of_batches;
  collect(experiment.augmentations, "", of_samples);
  collect(experiment.batch_augmentations, "", of_batches);
  for (const auto& [place, link] : of_samples) out.insert(link.component.type);
  for (const auto& [place, link] : of_batches) out.insert(link.component.type);
  return {out.begin(), out.end()};
}

std::vector<PreviewRow> preview_chain(const Experiment& experiment, const Registry& registry, const RawWindow& window,
                                      const ChainPreviewOptions& options) {
  Drawer drawer(experiment, window);
  const Image original = drawer.outlined(drawer.draw(RecordedPlan(window.info.size)));
  std::vector<PreviewRow> rows;
  auto chains = preview_chains(experiment.augmentations, "augmentation", options);
  Progress progress("drawing augmentations", static_cast<std::int64_t>(chains.size()) * options.draws);
  std::int64_t done = 0;
  for (auto& [row, links] : chains) {
    const Augmenter augmenter(links, registry, options.seed);
    row.original = original.clone();
    for (int k = 0; k < options.draws; ++k) {
      if (interrupted()) throw Cancelled();
      RecordedPlan plan(window.info.size);
      std::vector<std::string> applied;
      augmenter.draw(0, static_cast<std::uint64_t>(k), window.info, plan, &applied);
      const bool alone = links.size() == 1 && links[0].of.empty();
      row.draws.push_back({drawer.outlined(drawer.draw(plan)), alone ? "" : joined(applied)});
      progress.update(++done);
    }
    rows.push_back(std::move(row));
  }
  progress.finish();
  return rows;
}

RawBatch preview_raw_batch(const Experiment& experiment, const Registry& registry,
                           const std::vector<RawWindow>& windows, std::uint64_t seed, Image& before) {
  const Augmenter augmenter(experiment.augmentations, registry, seed);
  RawBatch out;
  out.count = static_cast<std::int64_t>(windows.size());
  out.classes = static_cast<int>(experiment.classes.size());
  out.weights.assign(windows.size() * experiment.classes.size(), 1.0F);
  for (std::size_t i = 0; i < windows.size(); ++i) {
    if (interrupted()) throw Cancelled();
    Drawer drawer(experiment, windows[i]);
    RecordedPlan plan(windows[i].info.size);
    augmenter.draw(0, i, windows[i].info, plan);
    Drawn drawn = drawer.draw(plan);
    const ImageView view = drawn.image.view();
    out.side = view.width;
    out.images.insert(out.images.end(), view.row<std::uint8_t>(0), view.row<std::uint8_t>(0) + 3 * view.size().area());
    out.labels.insert(out.labels.end(), drawn.labels.begin(), drawn.labels.end());
    out.ids.push_back(windows[i].info.slide);
    if (i == 0) before = drawer.outlined(std::move(drawn));
  }
  return out;
}

Image shown_at(const Image& picture, std::int64_t side) {
  const std::int64_t longest = std::max(picture.size().width, picture.size().height);
  if (longest <= side) return picture;
  const auto shorter = [&](std::int64_t length) { return std::max<std::int64_t>(1, length * side / longest); };
  Image out({shorter(picture.size().width), shorter(picture.size().height)}, 3);
  cv::Mat to = as_mat(out.view());
  cv::resize(as_mat(picture.view()), to, to.size(), 0, 0, cv::INTER_AREA);
  return out;
}

Image draw_rows(const std::vector<PreviewRow>& rows, std::int64_t side) {
  if (rows.empty()) throw Error("there is nothing to draw");
  constexpr std::int64_t gap = 4;
  std::size_t most = 0;
  for (const PreviewRow& row : rows) most = std::max(most, row.draws.size());
  const std::int64_t width = std::min(side, rows[0].original.size().width);
  const std::int64_t column = width + gap, height = preview_caption + width + preview_caption + gap;
  Image sheet({static_cast<std::int64_t>(most + 1) * column - gap, static_cast<std::int64_t>(rows.size()) * height}, 3);
  as_mat(sheet.view()).setTo(cv::Scalar::all(255));
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const std::int64_t top = static_cast<std::int64_t>(r) * height;
    write_caption(sheet.view().crop({0, top, sheet.size().width, preview_caption}),
                  rows[r].title + ": " + rows[r].what);
    const auto put = [&](std::size_t place, const Image& picture, const std::string& caption) {
      const std::int64_t left = static_cast<std::int64_t>(place) * column;
      const Image small = shown_at(picture, width);
      cv::Mat to = as_mat(sheet.view().crop({left, top + preview_caption, small.size().width, small.size().height}));
      as_mat(small.view()).copyTo(to);
      write_caption(sheet.view().crop({left, top + preview_caption + width, width, preview_caption}), caption);
    };
    put(0, rows[r].original, "original");
    for (std::size_t k = 0; k < rows[r].draws.size(); ++k)
      put(k + 1, rows[r].draws[k].picture, rows[r].draws[k].caption);
  }
  return sheet;
}

}  // namespace nephron::host
