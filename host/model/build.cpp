#include <algorithm>
#include <array>
#include <mutex>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/cat.h>

#include <nephron/nn/init.hpp>
#include <nephron/nn/levels.hpp>

#include <host/model/model.hpp>
#include <host/plugins/guard.hpp>
#include <host/slides/make_component.hpp>
#include <host/util/log.hpp>
#include <host/weights/named_weights.hpp>
#include <host/weights/weights.hpp>

namespace nephron::host {

namespace {

/// Seeds LibTorch's default generator, from which modules draw their first weights, and gives it back as it was.
class SeededGenerator {
 public:
  explicit SeededGenerator(std::uint64_t seed) : generator_(at::detail::getDefaultCPUGenerator()) {
    const std::lock_guard<std::mutex> lock(generator_.mutex());
    before_ = generator_.get_state();
    generator_.set_current_seed(seed);
  }
  ~SeededGenerator() {
    const std::lock_guard<std::mutex> lock(generator_.mutex());
    generator_.set_state(before_);
  }
  SeededGenerator(const SeededGenerator&) = delete;
  SeededGenerator& operator=(const SeededGenerator&) = delete;

 private:
  at::Generator generator_;
  at::Tensor before_;
};

/// Pretrained files hold the classifier of their training task, which an encoder has not.
void drop_classifier(TensorMap& weights, const TensorMap& own) {
  constexpr std::array<std::string_view, 6> classifiers{"fc.",         "_fc.",  "last_linear.",
                                                        "classifier.", "head.", "linear."};
  std::erase_if(weights, [&](const auto& entry) {
    return !own.contains(entry.first) &&
           std::any_of(classifiers.begin(), classifiers.end(),
                       [&](std::string_view prefix) { return entry.first.starts_with(prefix); });
  });
}

/// Weights of an RGB encoder for images of n channels, as SMP does it: one channel gets the sum, more channels repeat
/// red, green, blue and are scaled so that the sum stays the same.
void adapt_first_convolution(TensorMap& weights, const TensorMap& own, std::int64_t channels) {
  if (channels == 3) return;
  for (auto& [name, tensor] : weights) {
    const auto to = own.find(name);
    if (to == own.end() || tensor.dim() != 4 || tensor.size(1) != 3 || to->second.dim() != 4 ||
        to->second.size(1) != channels)
      continue;
    if (channels == 1) {
      tensor = tensor.sum(1, true);
      continue;
    }
    std::vector<at::Tensor> parts;
    for (std::int64_t i = 0; i < channels; ++i) parts.push_back(tensor.narrow(1, i % 3, 1));
    tensor = at::cat(parts, 1) * (3.0 / static_cast<double>(channels));
  }
}

/// A file may have the encoder's own names, or those under which its weights are published.
TensorMap with_own_names(TensorMap weights, const Encoder& encoder, const TensorMap& own) {
  const auto* published = dynamic_cast<const PublishedNames*>(&encoder);
  if (published == nullptr) return weights;
  TensorMap out;
  for (auto& [name, tensor] : weights)
    out.insert_or_assign(own.contains(name) ? name : published->own_name(name), std::move(tensor));
  return out;
}

void load_encoder(Encoder& encoder, const EncoderConfig& config, std::int64_t in_channels) {
  const std::filesystem::path file = weights_file(config.weights);
  const TensorMap own = state_dict(encoder);
  TensorMap weights = guarded(encoder, "when asked for its names of published weights",
                              [&] { return with_own_names(read_tensors(file), encoder, own); });
  drop_classifier(weights, own);
  adapt_first_convolution(weights, own, in_channels);
  const WeightReport report = apply_weights(encoder, weights, config.strict, file.string());
  if (!report.good()) log().warning("encoder weights " + file.string() + " fit in part:\n" + report.table());
}

}  // namespace

std::shared_ptr<SegmentationModel> build_model(const ModelConfig& config, std::int64_t classes,
                                               const Registry& registry, std::uint64_t seed, bool load,
                                               const JobServices& services) {
  const SeededGenerator seeded(seed);
  const auto decoder = make_component<Decoder>(registry, config.decoder, "model.decoder", seed, services);
  const auto encoder = make_component<Encoder>(registry, config.encoder.component, "model.encoder", seed, services);
  const int depth = guarded(*decoder, "when asked for its depth", [&] { return decoder->depth(); });
  const int stride = guarded(*decoder, "when asked for its output stride", [&] { return decoder->output_stride(); });
  const std::vector<Level> levels = guarded(*encoder, "while its layers were made", [&] {
    encoder->build({.in_channels = config.in_channels, .depth = depth});
    if (stride < 32 && stride < (1 << depth)) encoder->set_output_stride(stride);
    std::vector<Level> told = encoder->levels();
    nn::every_halving("the decoder", told, depth);
    return told;
  });
  guarded(*decoder, "while its layers were made", [&] { decoder->build(levels); });
  auto model = std::make_shared<SegmentationModel>(encoder, decoder, classes);
  model->recompute(config.checkpointing);
  if (load && !config.encoder.weights.empty()) load_encoder(*encoder, config.encoder, config.in_channels);
  if (load && !config.weights.empty()) {
    const std::filesystem::path file = weights_file(config.weights);
    const WeightReport report = apply_weights(*model, read_tensors(file), config.strict, file.string());
    if (!report.good()) log().warning("weights " + file.string() + " fit in part:\n" + report.table());
  }
  return model;
}

}  // namespace nephron::host
