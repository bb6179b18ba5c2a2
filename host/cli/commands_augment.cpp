#include <algorithm>
#include <cmath>
#include <iostream>
#include <iterator>
#include <memory>
#include <optional>

#include <nephron/image_cv.hpp>
#include <nephron/label_pixels.hpp>
#include <nephron/slide_colours.hpp>

#include <host/cli/command.hpp>
#include <host/config/load.hpp>
#include <host/data/findings.hpp>
#include <host/data/folds.hpp>
#include <host/data/listed_files.hpp>
#include <host/data/resolution.hpp>
#include <host/feed/chain_preview.hpp>
#include <host/feed/normalisation.hpp>
#include <host/pictures/png.hpp>
#include <host/predict/normalised_source.hpp>
#include <host/predict/slide_source.hpp>
#include <host/report/augment_page.hpp>
#include <host/slides/opener.hpp>
#include <host/slides/reduced.hpp>
#include <host/store/colours.hpp>
#include <host/train/batch_preview.hpp>
#include <host/util/command_output.hpp>
#include <host/util/counted.hpp>
#include <host/util/usage_error.hpp>

namespace nephron::host {

namespace {

constexpr int batch_of_preview = 8;

struct AugmentRequest {
  std::filesystem::path experiment, image, out;
  std::vector<std::string> set, components;
  std::vector<std::filesystem::path> plugins;
  int draws = 6;
  std::int64_t window = -1, side = 256;
  std::optional<std::uint64_t> seed;
  bool overwrite = false;
};

/// What is known of a picture that is no slide of a feed.
struct OnePicture final : ColourBook {
  std::size_t size() const noexcept override { return 1; }
  const SlideColours* colours(std::size_t) const override { return known ? &*known : nullptr; }
  std::optional<SlideColours> known;
};

/// What is shown, and what batches are made of: it is the first.
struct Shown {
  std::shared_ptr<const Feed> feed;  // one of them knows the colours that windows are told
  std::shared_ptr<const ColourBook> book;
  std::vector<RawWindow> windows;
  std::string about;
};

std::string place_of(const RawWindow& window) {
  return window.info.slide + " " + std::to_string(window.info.region.x) + "," + std::to_string(window.info.region.y);
}

/// The tile, which is in the middle, shows a label.
bool labelled(const RawWindow& window, std::int64_t tile) {
  const Size size = window.labels.size();
  const Region middle{(size.width - tile) / 2, (size.height - tile) / 2, tile, tile};
  return with_label_type(window.labels.view().depth, [&](auto zero) {
    const ImageView view = window.labels.view().crop(middle);
    for (std::int64_t y = 0; y < view.height; ++y) {
      const auto* row = view.row<const decltype(zero)>(y);
      if (std::any_of(row, row + view.width, [](auto v) { return v != 0; })) return true;
    }
    return false;
  });
}

Shown of_data(const AugmentRequest& request, const Experiment& experiment, const Registry& registry,
              CommandOutput& output) {
  const Listing listing(experiment, registry);
  require_annotated(listing, registry);
  const PreparedData data = normalised(prepare(listing, splits_of(listing), /*most_lost=*/1), experiment, registry);
  warn_of_problems(data);
  output.require_none_of(files_of(listing));
  FeedOptions options;
  options.seed = static_cast<std::uint64_t>(experiment.seed);
  for (std::size_t i = 0; i < data.slides.size(); ++i)
    if (data.slides[i]->annotated()) options.slides.push_back(i);
  Shown out;
  out.feed = std::make_shared<const Feed>(experiment, registry, data, options);
  const Feed& feed = *out.feed;
  constexpr std::int64_t tries = 64;
  std::int64_t index = std::max<std::int64_t>(0, request.window);
  if (request.window < 0)
    while (index < tries && !labelled(feed.window(0, index), experiment.data.tile)) ++index;
  if (index == tries) index = 0;
  for (std::int64_t i = 0; i < batch_of_preview; ++i) out.windows.push_back(feed.window(0, index + i));
  out.about = "Window " + std::to_string(index) + " of the training: " + place_of(out.windows[0]);
  warn_of_lost(data);
  return out;
}

/// The middle of a picture, at the level that the experiment works on.
Image middle_of(const SlideFile& file, Reduction reduction, std::int64_t side) {
  const auto full = static_cast<std::int64_t>(std::ceil(static_cast<double>(side) * reduction.value()));
  const Size size = file.size();
  const std::int64_t width = std::min(full, size.width), height = std::min(full, size.height);
  return read_reduced(file, 0, {(size.width - width) / 2, (size.height - height) / 2, width, height}, reduction,
                      [](std::int64_t, std::int64_t) {});
}

/// The same as a prediction reads it where slides are normalised: by the colours of the whole picture.
Image normalised_middle_of(std::shared_ptr<const SlideFile> file, const Normalisation& normalisation,
                           const std::string& id, Reduction reduction, std::int64_t side) {
  const double mpp = file->header().mpp * reduction.value();
  const auto source = normalised_source(slide_source(std::move(file), reduction), normalisation, {id, "", ""}, mpp);
  const Size level = source->size();
  Image out({side, side}, 3);
  source->read({(level.width - side) / 2, (level.height - side) / 2, side, side}, out.view());
  return out;
}

/// The middle of a picture, as large as a window.
Shown of_picture(const AugmentRequest& request, const Experiment& experiment, const Registry& registry) {
  ReaderOpener opener(registry);
  const std::shared_ptr<const SlideFile> file = opener.open(request.image);
  SlideInfo info;
  info.id = request.image.stem().string(), info.mpp = file->header().mpp;
  const Reduction reduction = own_reduction(experiment.data, info, "--set data.factor=N takes every N-th pixel's mean");
  const Size level = reduction.size_of(file->size());
  const auto wanted = static_cast<std::int64_t>(experiment.data.window * static_cast<double>(experiment.data.tile));
  const std::int64_t side = std::min({wanted, level.width, level.height});
  if (side < 1) throw Error(request.image.string() + " has no pixel left at " + level_text(experiment.data));
  const auto normalisation = Normalisation::of(experiment, registry);
  const Image picture = normalisation == nullptr ? middle_of(*file, reduction, side)
                                                 : normalised_middle_of(file, *normalisation, info.id, reduction, side);
  const Region region{0, 0, std::min(side, picture.size().width), std::min(side, picture.size().height)};
  RawWindow window{Image(region.size(), 3),
                   Image(region.size(), 1, label_depth(static_cast<int>(experiment.classes.size()) + 1)),
                   {.size = region.size(),
                    .slide = request.image.stem().string(),
                    .group = "",
                    .mpp = file->header().mpp * reduction.value(),
                    .region = region}};
  const ImageView image = window.image.view();
  copy(picture.view().crop(region), image);
  const auto book = std::make_shared<OnePicture>();
  book->known = measure_colours(image.size(), tissue_of(image), [&](const Region& part, const ImageView& to) {
    as_mat(image.crop(part)).copyTo(as_mat(to));
  });
  set_colours(window.info, *book, 0);
  Shown out;
  out.book = book;
  for (int i = 0; i < batch_of_preview; ++i) out.windows.push_back(window);
  out.about =
      request.image.string() + ": the middle, " + std::to_string(side) + " px wide at " + level_text(experiment.data);
  return out;
}

void require_known(const std::vector<std::string>& wanted, const Experiment& experiment) {
  const std::vector<std::string> known = chain_components(experiment);
  std::string names;
  for (const std::string& name : known) names += (names.empty() ? "" : ", ") + name;
  if (known.empty())
    throw Error("the experiment has no augmentation to show",
                "--set augmentation.preset=light shows those of a preset");
  for (const std::string& name : wanted)
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      const std::string near = nearest(name, known);
      throw Error("the experiment has no augmentation \"" + name + "\"",
                  (near.empty() ? "" : "did you mean \"" + near + "\"? ") + "it has " + names);
    }
}

void preview(const AugmentRequest& request) {
  std::vector<std::filesystem::path> inputs{request.experiment};
  if (!request.image.empty()) inputs.push_back(request.image);
  CommandOutput output(request.out, request.overwrite, inputs);
  if (!is_page(request.out) && request.out.extension() != ".png")
    throw UsageError(request.out.string() + ": a preview is a .png or a page, .html; its name must end so");
  PluginSearch search;
  search.command_line = request.plugins;
  std::unique_ptr<Registry> registry;
  const Experiment experiment = load_experiment(request.experiment, request.set, search, registry);
  require_known(request.components, experiment);
  const Shown shown = request.image.empty() ? of_data(request, experiment, *registry, output)
                                            : of_picture(request, experiment, *registry);
  const ChainPreviewOptions options{request.draws, request.seed.value_or(static_cast<std::uint64_t>(experiment.seed)),
                                    request.components};
  std::vector<PreviewRow> rows = preview_chain(experiment, *registry, shown.windows[0], options);
  if (!experiment.batch_augmentations.empty()) {
    Image before;
    const RawBatch batch = preview_raw_batch(experiment, *registry, shown.windows, options.seed, before);
    std::vector<PreviewRow> more = preview_batch_chain(experiment, *registry, batch, before, options);
    std::move(more.begin(), more.end(), std::back_inserter(rows));
  }
  if (is_page(request.out)) output.write(augment_page(experiment, rows, shown.about, request.side));
  else output.prepare(), write_png(request.out, draw_rows(rows, request.side).view());
  std::cout << request.out.string() << ": " << counted(rows.size(), "row") << " of "
            << counted(static_cast<std::uint64_t>(request.draws), "draw") << "; " << shown.about << "\n";
}

void add_augment(CLI::App& app, int& exit) {
  auto* augment = app.add_subcommand("augment", "Look at augmentations");
  augment->require_subcommand(1);
  auto* command = augment->add_subcommand(
      "preview", "A picture beside what the experiment's augmentations make of it: all of them, and each by itself");
  command->footer(
      "Each row has the original first. A component by itself is always applied, whatever its p. Augmentations of "
      "whole\nbatches come last, on batches of " +
      std::to_string(batch_of_preview) + " samples.");
  const auto request = std::make_shared<AugmentRequest>();
  command->add_option("experiment", request->experiment, "Experiment file (TOML)")->required();
  command->add_option("--out", request->out, "PNG to write, or .html: a page")->required();
  command->add_flag("--overwrite", request->overwrite, "Replace a file that exists");
  auto* image =
      command->add_option("--image", request->image, "Picture or slide whose middle is shown, in place of data")
          ->check(CLI::ExistingFile);
  command
      ->add_option("--window", request->window,
                   "Number of the training's window that is shown [the first with a label in sight]")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{1} << 40))
      ->excludes(image);
  command->add_option("--n", request->draws, "Draws in each row")->check(CLI::Range(1, 64))->capture_default_str();
  command->add_option("--seed", request->seed, "Of the draws [the experiment's]");
  command
      ->add_option("--component", request->components,
                   "Show this component alone, or all that a one_of, sequence or some_of holds; may be repeated")
      ->allow_extra_args(false);
  command->add_option("--side", request->side, "Largest width of a picture, px")
      ->check(CLI::Range(16, 4096))
      ->capture_default_str();
  command->add_option("--set", request->set, "KEY=VALUE, laid upon the file; may be repeated")->allow_extra_args(false);
  command->add_option("--plugin", request->plugins, "A plugin file to use besides; may be repeated")
      ->allow_extra_args(false);
  command->callback([request, &exit] {
    preview(*request);
    exit = Exit::done;
  });
}

}  // namespace

NEPHRON_COMMAND("augment", 46, add_augment)

}  // namespace nephron::host
