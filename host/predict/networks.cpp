#include <host/predict/networks.hpp>

#include <algorithm>

#include <ATen/Parallel.h>
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
  apply_weights(*model, read_tensors(weights), /*strict=*/true, weights.string());
  model->eval();
  model->to(device);
  return model;
}

class Networks final : public PixelModel {
 public:
  Networks(const Experiment& experiment, const Registry& registry, const std::vector<std::filesystem::path>& weights,
           const NetworkOptions& options)
      : classes_(static_cast<int>(experiment.classes.size())),
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

  int classes() const noexcept override { return classes_; }
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
      for (std::size_t d = 0; d < tta_.size(); d += portion.directions)
        add_directions(part, d, std::min(portion.directions, tta_.size() - d), out + first * area * classes_);
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
    }
  }

  void run_on_device(const TileBatch& tiles, float* out) {
    const at::Tensor input = input_of(tiles);
    at::Tensor sum;
    for (const Flip& flip : tta_) {
      std::vector<std::int64_t> dims;
      if (flip.y) dims.push_back(2);
      if (flip.x) dims.push_back(3);
      const at::Tensor seen = dims.empty() ? input : input.flip(dims).contiguous(at::MemoryFormat::ChannelsLast);
      for (const auto& model : models_) {
        at::Tensor p = probabilities(model->forward(seen).to(c10::kFloat), exclusive_);
        if (!dims.empty()) p = p.flip(dims);
        sum = sum.defined() ? sum.add_(p) : p.contiguous();
      }
    }
    sum.div_(static_cast<double>(tta_.size() * models_.size()));
    at::from_blob(out, sum.sizes(), at::TensorOptions().dtype(c10::kFloat)).copy_(sum);
  }
  /// [n, 3, H, W], channels last.
  at::Tensor input_of(const TileBatch& tiles) const {
    const at::Tensor bytes =
        at::from_blob(const_cast<std::uint8_t*>(tiles.images), {tiles.count, tiles.size.height, tiles.size.width, 3},
                      at::TensorOptions(c10::kByte));
    return normalised(bytes.to(device_), normalise_);
  }

  int classes_;
  bool exclusive_;
  c10::Device device_;
  std::optional<c10::ScalarType> autocast_;
  Normalise normalise_;
  std::vector<Flip> tta_;
  std::vector<std::shared_ptr<SegmentationModel>> models_;
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
  for (const std::string& name : tta) flip_named(name);
}

std::unique_ptr<PixelModel> open_networks(const Experiment& experiment, const Registry& registry,
                                          const std::vector<std::filesystem::path>& weights,
                                          const NetworkOptions& options) {
  return std::make_unique<Networks>(experiment, registry, weights, options);
}

}  // namespace nephron::host
