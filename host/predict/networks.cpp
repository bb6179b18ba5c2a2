#include <host/predict/networks.hpp>

#include <algorithm>
#include <functional>

#include <ATen/Parallel.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/from_blob.h>
#include <c10/core/InferenceMode.h>

#include <nephron/error.hpp>
#include <nephron/nn/first_weights.hpp>
#include <nephron/nn/fold.hpp>

#include <host/device/autocast.hpp>
#include <host/device/device.hpp>
#include <host/device/pixels.hpp>
#include <host/model/exclusive.hpp>
#include <host/model/model.hpp>
#include <host/util/log.hpp>
#include <host/weights/weights.hpp>

namespace nephron::host {

namespace {

struct Flip {
  const char* name;
  std::vector<std::int64_t> dims;  ///< of [N, C, H, W]
};

const std::vector<Flip>& flips() {
  static const std::vector<Flip> all{{"identity", {}}, {"flip_x", {3}}, {"flip_y", {2}}, {"flip_xy", {2, 3}}};
  return all;
}

const Flip& flip_named(const std::string& name) {
  const auto& all = flips();
  const auto found = std::find_if(all.begin(), all.end(), [&](const Flip& f) { return f.name == name; });
  if (found == all.end())
    throw Error("unknown test-time augmentation \"" + name + "\": expected identity, flip_x, flip_y or flip_xy");
  return *found;
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

/// The model with its batch normalisations folded into its convolutions. Nothing says in which order a plugin runs its
/// layers, so that a small picture is asked before and after; a model that answers otherwise is loaded anew and left as
/// it is.
std::shared_ptr<SegmentationModel> folded(const std::function<std::shared_ptr<SegmentationModel>()>& load,
                                          c10::Device device) {
  auto model = load();
  {
    const c10::InferenceMode inference;
    const std::int64_t side = 2 * model->multiple();
    const auto floats = at::TensorOptions().dtype(c10::kFloat).device(device);
    const at::Tensor probe = at::arange(3 * side * side, floats).mul_(0.7).sin_().view({1, 3, side, side});
    const at::Tensor before = model->forward(probe).clone();
    if (nn::fold_batch_norms(*model) == 0) return model;
    const double difference = (model->forward(probe) - before).abs().max().item().toDouble(),
                 size = before.abs().max().item().toDouble();
    if (difference <= 1e-3 * (1 + size)) return model;
    log().debug("batch normalisation is not folded: the model's answer would change by " + std::to_string(difference));
  }
  return load();
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
    for (const std::string& name : options.tta) tta_.push_back(flip_named(name).dims);
    for (const std::filesystem::path& file : weights) {
      const auto load = [&] { return loaded(experiment, registry, file, device_); };
      models_.push_back(folded(load, device_));
    }
  }

  int classes() const noexcept override { return classes_; }
  std::int64_t multiple() const noexcept override { return models_.front()->multiple(); }

  void run(const TileBatch& tiles, float* out) override {
    const c10::InferenceMode inference;
    const Autocast lower(device_, autocast_);  // out here, so that it converts each weight once
    const at::Tensor input = input_of(tiles);
    at::Tensor sum;
    for (const std::vector<std::int64_t>& dims : tta_) {
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

 private:
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
  std::vector<std::vector<std::int64_t>> tta_;
  std::vector<std::shared_ptr<SegmentationModel>> models_;
};

}  // namespace

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
