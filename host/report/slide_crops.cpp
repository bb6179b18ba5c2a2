#include <host/report/slide_crops.hpp>

#include <algorithm>
#include <cmath>
#include <map>

#include <opencv2/imgproc.hpp>

#include <nephron/error.hpp>
#include <nephron/image_cv.hpp>
#include <nephron/slide.hpp>

#include <host/config/run_experiment.hpp>
#include <host/data/listing.hpp>
#include <host/labels/grey_map.hpp>
#include <host/labels/painter.hpp>
#include <host/predict/truth.hpp>
#include <host/report/shown_picture.hpp>
#include <host/util/interrupt.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

constexpr double room = 1.5;              // of the longer side of what is shown
constexpr std::int64_t least_side = 48;   // of the level that was measured, px
constexpr std::int64_t most_side = 8192;  // that is read of a level, px
constexpr double smooth = 0.35;           // px that an outline may leave the mask's edge

/// The square around a box, inside its slide where that is large enough.
Region square_around(const Region& box, Size slide) {
  const auto wanted = static_cast<std::int64_t>(std::ceil(room * static_cast<double>(std::max(box.width, box.height))));
  const std::int64_t side = std::min({std::max(wanted, least_side), slide.width, slide.height});
  const auto first = [&](std::int64_t at, std::int64_t length, std::int64_t all) {
    return std::clamp<std::int64_t>(at + length / 2 - side / 2, 0, all - side);
  };
  return {first(box.x, box.width, slide.width), first(box.y, box.height, slide.height), side, side};
}

/// Rings around what is not 0, in pixels of a picture that is `side` wide.
std::vector<std::vector<Point>> rings_of(const Image& mask, std::int64_t side) {
  cv::Mat large;
  const int length = static_cast<int>(side);
  cv::resize(as_mat(mask.view()), large, {length, length}, 0, 0, cv::INTER_LINEAR);
  // Steps of the level's pixels are no shape of the tissue.
  const double step = static_cast<double>(side) / static_cast<double>(mask.size().width);
  if (step > 1) cv::GaussianBlur(large, large, {}, 0.5 * step);
  std::vector<std::vector<cv::Point>> contours;
  cv::findContours(cv::Mat(large > 127), contours, cv::RETR_CCOMP, cv::CHAIN_APPROX_NONE);
  std::vector<std::vector<Point>> out;
  for (const auto& contour : contours) {
    std::vector<cv::Point> simple;
    cv::approxPolyDP(contour, simple, smooth, true);
    if (simple.size() < 3) continue;
    auto& ring = out.emplace_back();
    for (const cv::Point& p : simple) ring.push_back({p.x + 0.5, p.y + 0.5});
  }
  return out;
}

Image read_square(const SlideReader& slide, const Region& region, std::int64_t side) {
  const auto* const file = dynamic_cast<const SlideFile*>(&slide);
  int level = 0;
  double by = 1;
  const double wanted = static_cast<double>(region.width) / static_cast<double>(side);
  if (file != nullptr)
    for (std::size_t l = 1; l < file->header().levels.size(); ++l)
      if (const double here = file->header().levels[l].downsample; here <= wanted && here > by)
        by = here, level = static_cast<int>(l);
  Region part = region;
  if (level > 0) {
    const Size size = file->header().levels[static_cast<std::size_t>(level)].size;
    const auto scaled = [&](std::int64_t v) { return std::llround(static_cast<double>(v) / by); };
    part = Region{scaled(region.x), scaled(region.y), scaled(region.width), scaled(region.height)}.clipped(
        {0, 0, size.width, size.height});
  }
  if (part.width > most_side)
    throw Error("what is shown is " + std::to_string(part.width) +
                " px wide at the level that would be read: too large");
  const Image pixels(part.size(), 3);
  if (level > 0) file->read_level(level, part, pixels.view());
  else slide.read(part, pixels.view());
  Image out({side, side}, 3);
  cv::Mat to = as_mat(out.view());
  cv::resize(as_mat(pixels.view()), to, to.size(), 0, 0, part.width > side ? cv::INTER_AREA : cv::INTER_CUBIC);
  return out;
}

}  // namespace

struct SlideCrops::Data {
  std::unique_ptr<Registry> registry;  // first: destroyed last
  std::unique_ptr<Listing> listing;
  std::map<std::pair<std::string, std::string>, const Listing::Entry*> entries;  // dataset, id

  const Dataset& dataset(const Listing::Entry& entry) const { return *listing->datasets()[entry.dataset]; }
};

/// A slide that is read.
struct SlideCrops::Open {
  std::size_t slide = 0;
  const Listing::Entry* entry = nullptr;
  std::shared_ptr<const SlideReader> pixels;
  Reduction reduction;
  std::unique_ptr<LabelPainter> truth;
  std::vector<std::shared_ptr<const GreyMap>> found;  ///< a class; null: nothing was saved
  bool masks = false;                                 ///< and not maps, which a threshold is for
};

SlideCrops::SlideCrops(const RunFolder& run, const ValidationRecord& record)
    : record_(record), data_(std::make_unique<Data>()) {
  const Experiment experiment = load_run_experiment(run.experiment(), {}, {}, data_->registry);
  if (experiment.classes != record.classes)
    throw Error((record.folder / "scores.json").string() + " has other classes than the run's experiment");
  data_->listing = std::make_unique<Listing>(experiment, *data_->registry);
  for (const Listing::Entry& entry : data_->listing->slides())
    data_->entries.emplace(std::pair(data_->listing->dataset_name(entry.dataset), entry.info.id), &entry);
}

SlideCrops::~SlideCrops() = default;

namespace {

/// What a validation wrote must be whole.
template <class Work>
auto reading_saved(const Work& work) {
  try {
    return work();
  } catch (const Cancelled&) {
    throw;
  } catch (const Error& e) {
    throw DamagedSaving(e.what(), "Validate again: nephron validate RUN --save masks --overwrite");
  }
}

std::shared_ptr<const GreyMap> open_saved(const fs::path& file, Size level) {
  return reading_saved([&] {
    std::shared_ptr<const GreyMap> map = open_grey_map(file, interrupted);
    if (!is_map_of(map->size(), level))
      throw Error(file.string() + " is of another size than its slide was measured at");
    return map;
  });
}

}  // namespace

std::filesystem::path SlideCrops::saved_file(ValidationFiles::Map map, const std::string& class_name,
                                             std::size_t slide) const {
  const ValidationFiles files(record_.folder, data_->listing->experiment().datasets.size() > 1);
  return files.map_there(map, class_name, {record_.slides[slide].dataset, record_.slides[slide].id});
}

bool SlideCrops::saved(std::size_t slide) const {
  return std::any_of(record_.classes.begin(), record_.classes.end(), [&](const std::string& name) {
    return !saved_file(ValidationFiles::Map::masks, name, slide).empty() ||
           !saved_file(ValidationFiles::Map::probabilities, name, slide).empty();
  });
}

const SlideCrops::Open& SlideCrops::open(std::size_t slide) {
  if (open_ != nullptr && open_->slide == slide) return *open_;
  open_.reset();
  const ValidatedSlide& measured = record_.slides[slide];
  const Listing& listing = *data_->listing;
  const auto found = data_->entries.find({measured.dataset, measured.id});
  if (found == data_->entries.end())
    throw Error("dataset \"" + measured.dataset + "\" does not list slide \"" + measured.id + "\" any more");
  auto out = std::make_unique<Open>();
  out->slide = slide, out->entry = found->second;
  const Listing::Entry& entry = *out->entry;
  out->pixels = guarded(listing.origin(entry, "opening"), [&] {
    std::shared_ptr<const SlideReader> reader = data_->dataset(entry).open(entry.info);
    if (reader == nullptr) throw Error("the dataset gave no reader");
    return reader;
  });
  out->reduction = listing.reduction(entry);
  const auto& classes = listing.experiment().classes;
  if (!(out->reduction.size_of(out->pixels->size()) == measured.size))
    throw Error("slide \"" + measured.id + "\" has another size than when it was validated");
  out->truth = std::make_unique<LabelPainter>(out->pixels->size(), static_cast<int>(classes.size()));
  guarded(listing.origin(entry, "annotating"),
          [&] { data_->dataset(entry).annotate(entry.info, classes, *out->truth); });
  using Map = ValidationFiles::Map;
  out->masks = std::any_of(classes.begin(), classes.end(),
                           [&](const std::string& name) { return !saved_file(Map::masks, name, slide).empty(); });
  for (const std::string& name : classes) {
    const fs::path file = saved_file(out->masks ? Map::masks : Map::probabilities, name, slide);
    out->found.push_back(file.empty() ? nullptr : open_saved(file, measured.size));
  }
  open_ = std::move(out);
  return *open_;
}

double SlideCrops::reduction(std::size_t slide) { return open(slide).reduction.value(); }

SlideCrop SlideCrops::crop(std::size_t slide, std::size_t c, const Region& box, std::int64_t side) {
  const Open& from = open(slide);
  const Size level = record_.slides[slide].size, full = from.pixels->size();
  const Region square = square_around(box, level);
  const auto to_full = [&](std::int64_t v) {
    return static_cast<std::int64_t>(std::llround(static_cast<double>(v) * from.reduction.value()));
  };
  SlideCrop out;
  out.region = Region{to_full(square.x), to_full(square.y), to_full(square.width), to_full(square.height)}.clipped(
      {0, 0, full.width, full.height});
  out.picture = guarded(data_->listing->origin(*from.entry, "reading"),
                        [&] { return read_square(*from.pixels, out.region, side); });
  const Image labels(square.size(), 1, from.truth->depth());
  from.truth->paint(from.reduction, square, labels.view());
  out.truth = rings_of(target_mask(labels.view(), data_->listing->targets(*from.entry).at(c)), side);
  if (from.found[c] == nullptr) return out;
  Image mask = reading_saved([&] { return grey_part(*from.found[c], level, square, square.size(), interrupted); });
  if (!from.masks && c < record_.thresholds.size()) {
    const double threshold = 255 * record_.thresholds[c];
    cv::Mat pixels = as_mat(mask.view());
    cv::Mat(pixels > threshold).copyTo(pixels);
  }
  out.found = rings_of(mask, side);
  return out;
}

}  // namespace nephron::host
