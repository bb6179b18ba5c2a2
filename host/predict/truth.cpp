#include <host/predict/truth.hpp>

#include <algorithm>
#include <span>

#include <nephron/dataset_check.hpp>
#include <nephron/error.hpp>
#include <nephron/folder_name.hpp>
#include <nephron/label_pixels.hpp>
#include <nephron/mask_files.hpp>

#include <host/labels/painter.hpp>
#include <host/metrics/dice.hpp>
#include <host/predict/chosen_dataset.hpp>
#include <host/predict/picture_file.hpp>
#include <host/slides/make_component.hpp>
#include <host/util/log.hpp>
#include <host/util/usage_error.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

std::string text(Size size) { return std::to_string(size.width) + " x " + std::to_string(size.height); }

std::span<const std::uint8_t> bytes(const Image& mask) {
  if (mask.empty()) return {};
  return {mask.view().row<const std::uint8_t>(0), static_cast<std::size_t>(mask.size().area())};
}

void require_size(const fs::path& file, Size mask, Size picture) {
  if (mask != picture)
    throw Error("the mask " + file.string() + " is " + text(mask) + " px; its picture is " + text(picture) + " px");
}

/// Labels of one mask file. A mask of another size is not taken, and its size noted.
class MaskSink final : public AnnotationSink {
 public:
  MaskSink(Size size, int classes) : painter_(size, classes), size_(size) {}
  void polygon(int c, const Polygon& polygon) override { painter_.polygon(c, polygon); }
  void mask(const Region& region, const ImageView& labels) override {
    if (region.x + region.width > size_.width || region.y + region.height > size_.height || labels.size() != size_)
      other_ = labels.size();
    else painter_.mask(region, labels);
  }
  void runs(int c, std::span<const Run> runs, bool column_major) override { painter_.runs(c, runs, column_major); }
  void probability(int c, const Region& region, const ImageView& map) override { painter_.probability(c, region, map); }
  void ignore(const Region& region, const ImageView& pixels) override {
    if (pixels.size() == size_) painter_.ignore(region, pixels);
    else other_ = pixels.size();
  }

  Size given_size() const { return other_.empty() ? size_ : other_; }
  Image labels() const {
    Image out = painter_.labels(1);
    return out.empty() ? Image(size_, 1, painter_.depth()) : std::move(out);
  }

 private:
  LabelPainter painter_;
  Size size_, other_;
};

bool any_label(const Image& labels) {
  const auto* const first = labels.view().row<const std::uint8_t>(0);
  const auto bytes = static_cast<std::size_t>(labels.size().area()) * bytes_of(labels.view().depth);
  return std::any_of(first, first + bytes, [](std::uint8_t v) { return v != 0; });
}

bool any(const Image& mask) {
  const auto all = bytes(mask);
  return std::any_of(all.begin(), all.end(), [](std::uint8_t v) { return v != 0; });
}

/// Datasets of the experiment that read masks. `wanted`: makes that one alone; "": all, and who cannot be made any more
/// is passed over.
std::vector<MaskCoding> codings(const std::string& wanted, const Experiment& experiment, const Registry& registry) {
  std::vector<MaskCoding> out;
  for (std::size_t i = 0; i < experiment.datasets.size(); ++i) {
    const DatasetConfig& config = experiment.datasets[i];
    if (!wanted.empty() && name_of(config) != wanted) continue;
    try {
      auto dataset = make_component<Dataset>(registry, config.component, "dataset[" + std::to_string(i) + "]",
                                             static_cast<std::uint64_t>(experiment.seed));
      if (dynamic_cast<const MaskFiles*>(dataset.get()) == nullptr) continue;
      out.push_back({name_of(config), std::move(dataset)});
    } catch (const Error& e) {
      if (!wanted.empty()) throw;
      log().debug("dataset \"" + name_of(config) + "\" is not asked how masks are coded: " + e.what());
    }
  }
  return out;
}

}  // namespace

MaskCoding mask_coding(const std::string& wanted, const fs::path& folder, const Experiment& experiment,
                       const Registry& registry) {
  if (wanted == "plain") return {};
  if (wanted.empty() && fs::is_directory(folder / folder_name(experiment.classes.front()))) return {};
  std::vector<MaskCoding> found = codings(wanted, experiment, registry);
  if (found.size() == 1) return std::move(found.front());
  const auto names_in = [](const std::vector<MaskCoding>& all) {
    std::vector<std::string> names;
    for (const MaskCoding& c : all) names.push_back(c.name);
    return names_of(names, names.size());
  };
  if (found.size() > 1)
    throw UsageError(
        "the masks of " + folder.string() + " could be coded as those of several datasets: " + names_in(found),
        "Name one with --masks-as NAME; --masks-as plain takes whatever is not black as foreground.");
  if (wanted.empty()) return {};
  const std::string names = names_in(codings("", experiment, registry));
  throw UsageError("the experiment has no dataset \"" + wanted + "\" that reads masks",
                   "Expected: " + (names.empty() ? "" : names + " or ") + "\"plain\".");
}

TruthFolder::TruthFolder(fs::path folder, std::vector<std::string> classes, MaskCoding coding)
    : folder_(std::move(folder)), classes_(std::move(classes)), coding_(std::move(coding)) {}

fs::path TruthFolder::class_file(const std::string& id, std::size_t c) const {
  return find_picture(folder_ / folder_name(classes_[c]), id);
}

std::vector<std::string> TruthFolder::coded_names(const std::string& id) const {
  return guarded(*coding_.dataset, "in mask_names()",
                 [&] { return dynamic_cast<const MaskFiles&>(*coding_.dataset).mask_names(id); });
}

fs::path TruthFolder::shared_file(const std::string& id) const {
  if (coding_.dataset == nullptr) return classes_.size() == 1 ? find_picture(folder_, id) : fs::path();
  for (const std::string& name : coded_names(id))
    if (fs::path file = folder_ / name; fs::is_regular_file(file)) return file;
  return {};
}

std::string TruthFolder::looked_for(const std::string& id) const {
  const std::string own = (folder_ / folder_name(classes_.front()) / (id + ".png")).string();
  if (coding_.dataset != nullptr) {
    const std::vector<std::string> names = coded_names(id);
    return (folder_ / (names.empty() ? "" : names.front())).string() + " (as dataset \"" + coding_.name +
           "\" names masks) and " + own;
  }
  return classes_.size() == 1 ? (folder_ / (id + ".png")).string() + " and " + own : own + ", and so for each class";
}

bool TruthFolder::has(const std::string& id) const {
  if (!shared_file(id).empty()) return true;
  for (std::size_t c = 0; c < classes_.size(); ++c)
    if (!class_file(id, c).empty()) return true;
  return false;
}

TruthFolder::Masks TruthFolder::read_coded(const fs::path& file, Size size) const {
  const Dataset& dataset = *coding_.dataset;
  MaskSink sink(size, static_cast<int>(classes_.size()));
  std::vector<ChannelRule> rules;
  guarded(dataset, "reading the mask " + file.string(), [&] {
    dynamic_cast<const MaskFiles&>(dataset).read_mask(file, classes_, sink);
    rules = dataset.targets(classes_);
  });
  require_size(file, sink.given_size(), size);
  if (rules.size() != classes_.size())
    throw Error("dataset \"" + coding_.name + "\" gave " + std::to_string(rules.size()) + " rules for " +
                std::to_string(classes_.size()) + " classes");
  const Image labels = sink.labels();
  if (!any_label(labels) && any(read_mask(file)))
    log().warning("the mask " + file.string() + " is not black, and has no pixel of any class as dataset \"" +
                  coding_.name + "\" codes them; --masks-as plain takes whatever is not black as foreground");
  Masks out;
  for (const ChannelRule& rule : rules) {
    out.of_class.push_back(target_mask(labels.view(), rule));
    out.known.push_back(rule.weight > 0);
  }
  out.ignored = ignored_mask(labels.view(), classes_.size());
  out.coded = true;
  return out;
}

Image TruthFolder::read_ignored(const std::string& id, Size size) const {
  const std::string name = ignored_folder(classes_);
  const fs::path file = name.empty() ? fs::path() : find_picture(folder_ / name, id);
  if (file.empty()) return {};
  Image mask = read_mask(file);
  require_size(file, mask.size(), size);
  return mask;
}

TruthFolder::Masks TruthFolder::read(const std::string& id, Size size) const {
  std::vector<fs::path> files;
  for (std::size_t c = 0; c < classes_.size(); ++c)
    if (fs::path file = class_file(id, c); !file.empty()) files.push_back(std::move(file));
  if (files.empty()) {
    fs::path file = shared_file(id);
    if (file.empty()) return {};
    if (coding_.dataset != nullptr) return read_coded(file, size);
    files.push_back(std::move(file));
  }
  if (files.size() != classes_.size())
    throw Error("the masks of \"" + id + "\" are there for " + std::to_string(files.size()) + " of " +
                std::to_string(classes_.size()) + " classes; expected " + (folder_ / "CLASS" / (id + ".png")).string() +
                " for each");
  Masks masks;
  for (const fs::path& file : files) {
    masks.of_class.push_back(read_mask(file));
    require_size(file, masks.of_class.back().size(), size);
  }
  masks.ignored = read_ignored(id, size);
  return masks;
}

std::string ignored_folder(const std::vector<std::string>& classes) {
  const std::string name = "ignored";
  const bool taken = std::any_of(classes.begin(), classes.end(),
                                 [&](const std::string& class_name) { return folder_name(class_name) == name; });
  return taken ? "" : name;
}

Image target_mask(const ImageView& labels, const ChannelRule& rule) {
  Image mask(labels.size(), 1);
  with_label_type(labels.depth, [&](auto zero) {
    for (std::int64_t y = 0; y < labels.height; ++y) {
      const auto* const from = labels.row<const decltype(zero)>(y);
      std::uint8_t* const to = mask.view().row<std::uint8_t>(y);
      for (std::int64_t x = 0; x < labels.width; ++x)
        to[x] = (from[x] & rule.any_of) != 0 && (from[x] & rule.none_of) == 0 ? 255 : 0;
    }
  });
  return mask;
}

Image ignored_mask(const ImageView& labels, std::size_t classes) {
  if (classes >= 8 * bytes_of(labels.depth)) return {};  // no room for it: nothing is ignored
  const std::uint32_t bit = 1U << classes;
  Image mask(labels.size(), 1);
  bool any = false;
  with_label_type(labels.depth, [&](auto zero) {
    for (std::int64_t y = 0; y < labels.height; ++y) {
      const auto* const from = labels.row<const decltype(zero)>(y);
      std::uint8_t* const to = mask.view().row<std::uint8_t>(y);
      for (std::int64_t x = 0; x < labels.width; ++x)
        if ((from[x] & bit) != 0) to[x] = 255, any = true;
    }
  });
  return any ? std::move(mask) : Image();
}

Image above(const ImageView& map, double threshold) {
  Image mask(map.size(), 1);
  const auto limit = static_cast<float>(threshold);
  for (std::int64_t y = 0; y < map.height; ++y) {
    const float* const from = map.row<const float>(y);
    std::uint8_t* const to = mask.view().row<std::uint8_t>(y);
    for (std::int64_t x = 0; x < map.width; ++x) to[x] = from[x] > limit ? 255 : 0;
  }
  return mask;
}

double dice_of(const Image& predicted, const Image& truth, const Image& ignored) {
  return overlap_of(bytes(predicted), bytes(truth), bytes(ignored)).dice();
}

}  // namespace nephron::host
