#include <host/predict/networks.hpp>

#include <algorithm>
#include <set>

#include <ATen/Parallel.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/from_blob.h>
#include <c10/core/InferenceMode.h>

#include <nephron/error.hpp>
#include <nephron/nn/first_weights.hpp>

#include <host/device/autocast.hpp>
#include <host/device/device.hpp>
#include <host/device/pixels.hpp>
#include <host/inference/flips.hpp>
#include <host/inference/ready_model.hpp>
#include <host/model/exclusive.hpp>
#include <host/model/model.hpp>
#include <host/train/memory.hpp>
#include <host/util/usage_error.hpp>
#include <host/weights/weights.hpp>

namespace nephron::host {

namespace {

/// What goes through a network together on a CPU: tiles in all directions, or one tile in some of them.
struct Portion {
  std::int64_t tiles = 1;
  std::size_t directions = 1;
};
Portion portion_of(std::int64_t area, std::size_t directions) noexcept {
  constexpr std::int64_t most_pixels = std::int64_t{8} * 512 * 512;
  const std::int64_t pictures = std::max<std::int64_t>(1, most_pixels / area),
                     all = static_cast<std::int64_t>(directions);
  if (pictures < all) return {1, static_cast<std::size_t>(pictures)};
  return {pictures / all, directions};
}

std::shared_ptr<SegmentationModel> loaded(const Experiment& experiment, const Registry& registry,
                                          const std::filesystem::path& weights, c10::Device device) {
  const nn::WithoutFirstWeights all_are_loaded;
  auto model = build_model(experiment.model, static_cast<std::int64_t>(experiment.classes.size()), registry,
                           static_cast<std::uint64_t>(experiment.seed), /*load=*/false, {device.str(), {}});
  try {
    apply_weights(*model, read_tensors(weights), /*strict=*/true, weights.string());
  } catch (const Error& e) {  // whatever else weights may be taken for: a run knows its own
    throw Error(e.what(),
                "They are of another model than the experiment describes (of a run: its experiment.resolved.toml): was "
                "one of the two files replaced or edited?");
  }
  model->eval();
  model->to(device);
  return model;
}

class Networks final : public PixelModel {
 public:
  Networks(const Experiment& experiment, const Registry& registry, const std::vector<std::filesystem::path>& weights,
           const NetworkOptions& options)
      : classes_(static_cast<int>(experiment.classes.size())),
        each_flip_(options.each_flip),
        exclusive_(experiment.exclusive),
        device_(parse_device(options.device)),
        autocast_(autocast_type(options.precision, device_)),
        normalise_(Normalise::of(experiment.data.mean, experiment.data.std)) {
    check_tta(options.tta);
    if (weights.empty()) throw Error("prediction needs at least one checkpoint");
    if (options.threads > 0) at::set_num_threads(options.threads);
    for (const std::string& name : options.tta) tta_.push_back(flip_named(name));
    if (device_.is_cpu()) keep_freed_memory();
    for (const std::filesystem::path& file : weights) {
      const auto load = [&] { return loaded(experiment, registry, file, device_); };
      models_.push_back(made_ready(load, device_, autocast_).model);
    }
  }

  int classes() const noexcept override { return classes_ * (each_flip_ ? 1 + static_cast<int>(tta_.size()) : 1); }
  std::int64_t multiple() const noexcept override { return models_.front()->multiple(); }

  void run(const TileBatch& tiles, float* out) override {
    const c10::InferenceMode inference;
    const Autocast lower(device_, autocast_);  // out here, so that it converts each weight once
    if (!device_.is_cpu()) {
      run_on_device(tiles, out);
      return;
    }
    const std::int64_t area = tiles.size.area();
    const Portion portion = portion_of(area, tta_.size());
    for (std::int64_t first = 0; first < tiles.count; first += portion.tiles) {
      const TileBatch part{
          std::min(portion.tiles, tiles.count - first), tiles.size, tiles.images + first * area * 3, {}};
      float* const to = out + first * area * classes();
      if (each_flip_) of_flips_.resize(tta_.size());
      for (std::vector<float>& map : of_flips_) map.resize(static_cast<std::size_t>(part.count * classes_ * area));
      if (each_flip_) joined_.resize(static_cast<std::size_t>(part.count * classes_ * area));
      for (std::size_t d = 0; d < tta_.size(); d += portion.directions)
        add_directions(part, d, std::min(portion.directions, tta_.size() - d), each_flip_ ? joined_.data() : to);
      if (each_flip_) put_together(part.count, classes_ * area, to);
    }
  }

 private:
  /// Adds the share of `count` directions from `first` on to out, which the first of all writes.
  void add_directions(const TileBatch& tiles, std::size_t first, std::size_t count, float* out) {
    const auto begin = tta_.begin() + static_cast<std::ptrdiff_t>(first);
    const std::vector<Flip> flips(begin, begin + static_cast<std::ptrdiff_t>(count));
    const float share = 1 / static_cast<float>(tta_.size() * models_.size());
    const at::Tensor input = flipped_inputs(tiles.images, tiles.count, tiles.size, flips, normalise_);
    for (const auto& model : models_) {
      const at::Tensor p = probabilities(model->forward(input).to(c10::kFloat), exclusive_);
      add_flipped_back(p, flips, share, first == 0 && model == models_.front(), out);
      for (std::size_t d = 0; each_flip_ && d < count; ++d)
        add_flipped_back(of_direction(p, tiles.count, d), {flips[d]}, 1 / static_cast<float>(models_.size()),
                         model == models_.front(), of_flips_[first + d].data());
    }
  }

  /// The maps of one direction, of all tiles: they lie as flipped_inputs() put them.
  static at::Tensor of_direction(const at::Tensor& maps, std::int64_t tiles, std::size_t direction) {
    std::vector<std::int64_t> shape{tiles, maps.size(0) / tiles};
    shape.insert(shape.end(), maps.sizes().begin() + 1, maps.sizes().end());
    return maps.contiguous().view(shape).select(1, static_cast<std::int64_t>(direction)).contiguous();
  }

  /// Of each tile the joined maps, then those of each direction.
  void put_together(std::int64_t tiles, std::int64_t values, float* out) const {
    for (std::int64_t t = 0; t < tiles; ++t) {
      out = std::copy_n(joined_.data() + t * values, values, out);
      for (const std::vector<float>& maps : of_flips_) out = std::copy_n(maps.data() + t * values, values, out);
    }
  }

  void run_on_device(const TileBatch& tiles, float* out) {
    const at::Tensor input = input_of(tiles);
    at::Tensor sum;
    std::vector<at::Tensor> all(1);
    for (const Flip& flip : tta_) {
      std::vector<std::int64_t> dims;
      if (flip.y) dims.push_back(2);
      if (flip.x) dims.push_back(3);
      const at::Tensor seen = dims.empty() ? input : input.flip(dims).contiguous(at::MemoryFormat::ChannelsLast);
      at::Tensor of_flip;
      for (const auto& model : models_) {
        at::Tensor p = probabilities(model->forward(seen).to(c10::kFloat), exclusive_);
        if (!dims.empty()) p = p.flip(dims);
        sum = sum.defined() ? sum.add_(p) : p.clone(at::MemoryFormat::Contiguous);
        if (each_flip_) of_flip = of_flip.defined() ? of_flip.add_(p) : p.clone(at::MemoryFormat::Contiguous);
      }
      if (each_flip_) all.push_back(of_flip.div_(static_cast<double>(models_.size())));
    }
    all.front() = sum.div_(static_cast<double>(tta_.size() * models_.size()));
    const at::Tensor maps = all.size() == 1 ? sum : at::cat(all, 1);
    at::from_blob(out, maps.sizes(), at::TensorOptions().dtype(c10::kFloat)).copy_(maps);
  }
  /// [n, 3, H, W], channels last.
  at::Tensor input_of(const TileBatch& tiles) const {
    const at::Tensor bytes =
        at::from_blob(const_cast<std::uint8_t*>(tiles.images), {tiles.count, tiles.size.height, tiles.size.width, 3},
                      at::TensorOptions(c10::kByte));
    return normalised(bytes.to(device_), normalise_);
  }

  int classes_;
  bool each_flip_;
  bool exclusive_;
  c10::Device device_;
  std::optional<c10::ScalarType> autocast_;
  Normalise normalise_;
  std::vector<Flip> tta_;
  std::vector<std::shared_ptr<SegmentationModel>> models_;
  std::vector<float> joined_;                 ///< of some tiles, where maps of each flip follow
  std::vector<std::vector<float>> of_flips_;  ///< likewise, a flip each
};

}  // namespace

std::int64_t pictures_together(std::int64_t tiles, std::int64_t area, std::size_t directions,
                               c10::Device device) noexcept {
  if (!device.is_cpu()) return tiles;
  const Portion portion = portion_of(area, directions);
  return std::min(tiles, portion.tiles) * static_cast<std::int64_t>(portion.directions);
}

void check_tta(const std::vector<std::string>& tta) {
  if (tta.empty()) throw Error("test-time augmentation needs at least one of identity, flip_x, flip_y and flip_xy");
  std::set<std::string> seen;
  for (const std::string& name : tta) {
    flip_named(name);
    if (!seen.insert(name).second)
      throw UsageError("test-time augmentation names \"" + name + "\" twice, which would count it twice",
                       "Name each flip once: --tta identity,flip_x,flip_y,flip_xy");
  }
}

std::unique_ptr<PixelModel> open_networks(const Experiment& experiment, const Registry& registry,
                                          const std::vector<std::filesystem::path>& weights,
                                          const NetworkOptions& options) {
  return std::make_unique<Networks>(experiment, registry, weights, options);
}

}  // namespace nephron::host
