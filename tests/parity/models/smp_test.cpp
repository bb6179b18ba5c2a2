// Numbers against SMP: logits in both modes, loss, gradients and running statistics of the same weights and input.
#include <fstream>

#include <ATen/ops/binary_cross_entropy_with_logits.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <host/weights/weights.hpp>

#include <tests/parity/models/support.hpp>

namespace nephron::host {
namespace {

using testing::model_config;

constexpr double relative = 1e-5;
constexpr double noises = 4;  // how many times the reference's own float32 noise
constexpr double one_relu = 1e-2;

double difference(const at::Tensor& a, const at::Tensor& b) { return (a - b).abs().max().item<double>(); }
double size_of(const at::Tensor& t) { return std::max(t.abs().max().item<double>(), 1e-30); }

nlohmann::json cases() {
  std::ifstream in(std::filesystem::path(NEPHRON_SOURCE_DIR) / "tests/parity/models/smp_cases.json");
  return nlohmann::json::parse(in);
}

bool full() { return testing::environment("NEPHRON_PARITY") == "full"; }

const std::filesystem::path references = std::filesystem::path(NEPHRON_BUILD_DIR) / "parity-models";

class Smp : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    const auto shared = testing::shared_folder();
    const auto python = testing::peers_python();
    if (!shared || !python) return;
    std::filesystem::create_directories(references);
    const std::string here = std::string(NEPHRON_SOURCE_DIR) + "/tests/parity/models/";
    const std::string command = python->string() + " " + here + "export_smp_cases.py " + here + "smp_cases.json " +
                                (*shared / "peers").string() + " " + references.string() + (full() ? " --full" : "");
    made_ = std::system(command.c_str()) == 0;
  }
  void SetUp() override {
    if (!testing::shared_folder()) GTEST_SKIP() << "no shared data (NEPHRON_SHARED)";
    if (!testing::peers_python()) GTEST_SKIP() << "no Python with SMP (NEPHRON_PEERS)";
    ASSERT_TRUE(made_) << "the reference files could not be made";
  }
  static bool made_;
};
bool Smp::made_ = false;

/// A case with what SMP computed for it.
struct Case {
  nlohmann::json described;
  std::map<std::string, std::string> metadata;
  TensorMap reference, weights;

  explicit Case(const nlohmann::json& one) : described(one) {
    reference = read_tensors(references / (one.at("name").get<std::string>() + ".safetensors"), &metadata);
    for (const auto& [name, tensor] : reference)
      if (name.starts_with("model.")) weights.emplace(name.substr(6), tensor);
  }
  double tolerance(const std::string& what, double size) const {
    return std::max(relative * size, noises * std::stod(metadata.at("noise." + what)));
  }
  bool has_fast_form() const { return described.value("type", "unet").starts_with("unet"); }

  std::shared_ptr<SegmentationModel> model(bool fast = true) const {
    const Registry registry = testing::plugins_under_test();
    ModelConfig config = model_config(described.at("encoder"), described.value("decoder", nlohmann::json::object()));
    config.decoder.type = described.value("type", "unet");
    if (has_fast_form()) config.decoder.params.set("fast", Value(fast));
    if (described.at("encoder").get<std::string>().starts_with("efficientnet"))
      config.encoder.component.params.set("drop_connect", Value(0.0));
    if (described.value("release", "") == "2021") config.encoder.component.params.set("compat", Value("smp-2021"));
    config.in_channels = described.value("channels", 3);
    auto built = build_model(config, 2, registry, 7);
    apply_weights(*built, weights, true, "the reference");
    return built;
  }
};

void expect_logits_and_statistics(const Case& one) {
  const auto model = one.model();
  const at::Tensor &input = one.reference.at("input"), &expected_eval = one.reference.at("output.eval"),
                   &expected_train = one.reference.at("output.train");
  model->eval();
  const at::Tensor eval = model->forward(input).detach();
  EXPECT_LE(difference(eval, expected_eval), one.tolerance("eval", size_of(expected_eval)));
  model->train();
  const at::Tensor train = model->forward(input).detach();
  EXPECT_LE(difference(train, expected_train), one.tolerance("train", size_of(expected_train)));
  const TensorMap own = state_dict(*model);
  int statistics = 0;
  for (const auto& [name, tensor] : one.reference) {
    if (!name.starts_with("stats.")) continue;
    EXPECT_LE(difference(own.at(name.substr(6)), tensor), one.tolerance("train", 1) * size_of(tensor)) << name;
    ++statistics;
  }
  EXPECT_GE(statistics, one.described.value("statistics", 20));
}

void expect_loss_and_gradients(const Case& one, bool fast, at::ScalarType type) {
  SCOPED_TRACE(std::string(fast ? "fast" : "plain") + " in " + c10::toString(type));
  const auto model = one.model(fast);
  model->to(type);
  model->train();
  const at::Tensor loss = at::binary_cross_entropy_with_logits(model->forward(one.reference.at("input").to(type)),
                                                               one.reference.at("target").to(type));
  const at::Tensor& expected = one.reference.at("loss");
  EXPECT_LE(difference(loss, expected), one.tolerance("loss", size_of(expected)));
  loss.backward();
  const TensorMap own = state_dict(*model);
  int gradients = 0;
  for (const auto& [name, tensor] : one.reference) {
    if (!name.starts_with("grad.")) continue;
    const at::Tensor gradient = own.at(name.substr(5)).grad();
    ASSERT_TRUE(gradient.defined()) << name;
    EXPECT_LE(difference(gradient, tensor) / size_of(tensor),
              type == at::kDouble ? one.tolerance("grad", 1) : std::max(one.tolerance("grad", 1), one_relu))
        << name;
    ++gradients;
  }
  EXPECT_GE(gradients, 5);
}

/// Sums in another order, of the fast form or of another processor, may put one ReLU on the other side of 0 in float32:
/// then a gradient is off by some 1e-3 though nothing is wrong. So it is float64 that must agree closely, and float32
/// but for a ReLU. The scaled sum of a ConvNeXt's block rounds once where SMP rounds twice: with decoders of much ReLU
/// float64 alone is compared.
void compare(const nlohmann::json& described) {
  SCOPED_TRACE(described.at("name").get<std::string>());
  const Case one(described);
  expect_logits_and_statistics(one);
  if (described.value("float32_gradients", true)) expect_loss_and_gradients(one, /*fast=*/false, at::kFloat);
  expect_loss_and_gradients(one, /*fast=*/true, at::kDouble);
}

TEST_F(Smp, LogitsLossGradientsAndStatistics) {
  for (const nlohmann::json& one : cases())
    if (full() || !one.at("full").get<bool>()) compare(one);
}

void expect_fast_as_plain(const std::string& decoder) {
  SCOPED_TRACE(decoder);
  const Registry registry = testing::plugins_under_test();
  const auto build = [&](bool fast) {
    ModelConfig config = model_config("resnet18", {{"fast", fast}});
    config.decoder.type = decoder;
    return build_model(config, 2, registry, 3);
  };
  const auto fast = build(true), plain = build(false);
  const TensorMap reference = read_tensors(references / "resnet18.safetensors");
  for (const auto& model : {fast, plain}) {
    model->to(at::kDouble);
    model->train();
  }
  const at::Tensor input = reference.at("input").to(at::kDouble);
  const at::Tensor a = fast->forward(input), b = plain->forward(input);
  EXPECT_LE(difference(a, b) / size_of(b), 1e-12);
  a.square().sum().backward();
  b.square().sum().backward();
  const TensorMap left = state_dict(*fast), right = state_dict(*plain);
  for (const auto& [name, tensor] : left)
    if (tensor.requires_grad()) {
      const at::Tensor other = right.at(name).grad();
      EXPECT_LE(difference(tensor.grad(), other), 1e-9 * size_of(other)) << name;
    }
}

TEST_F(Smp, FastAndPlainDecodersAgree) {
  for (const char* decoder : {"unet", "unet++"}) expect_fast_as_plain(decoder);
}

TEST_F(Smp, FirstConvolutionTakesOtherNumbersOfChannels) {
  const Registry registry = testing::plugins_under_test();
  const TensorMap reference = read_tensors(references / "resnet18.safetensors");
  TensorMap encoder;
  for (const auto& [name, tensor] : reference)
    if (name.starts_with("model.encoder.")) encoder.emplace(name.substr(14), tensor);
  encoder.emplace("fc.weight", at::zeros({10, 512}));  // a classifier, which is dropped
  const std::filesystem::path file = references / "resnet18-encoder.safetensors";
  write_tensors(file, encoder);
  const at::Tensor& rgb = encoder.at("conv1.weight");
  for (const std::int64_t channels : {1, 3, 4}) {
    ModelConfig config = model_config("resnet18");
    config.in_channels = channels;
    config.encoder.weights = file;
    const at::Tensor own = state_dict(*build_model(config, 1, registry, 1)).at("encoder.conv1.weight");
    const at::Tensor expected = channels == 1   ? rgb.sum(1, true)
                                : channels == 3 ? rgb
                                                : at::cat({rgb, rgb.narrow(1, 0, 1)}, 1) * 0.75;
    EXPECT_LE(difference(own, expected), 1e-6) << channels;
  }
}

// timm publishes ConvNeXt without SMP's names, and with a classifier.
TEST_F(Smp, ConvNeXtTakesTheNamesOfTimm) {
  const Registry registry = testing::plugins_under_test();
  const TensorMap reference = read_tensors(references / "convnext_tiny.safetensors");
  TensorMap published{{"head.norm.weight", at::zeros({768})}, {"head.fc.weight", at::zeros({10, 768})}};
  std::size_t tensors = 0;
  for (const auto& [name, tensor] : reference) {
    if (!name.starts_with("model.encoder.model.")) continue;
    std::string timm = name.substr(20);
    timm.replace(timm.find('_'), 1, ".");  // stem_0, stages_0
    published.emplace(timm, tensor);
    ++tensors;
  }
  ASSERT_EQ(tensors, 178U);
  ModelConfig config = model_config("convnext_tiny");
  config.encoder.weights = references / "convnext_tiny-timm.safetensors";
  write_tensors(config.encoder.weights, published);
  const TensorMap own = state_dict(*build_model(config, 1, registry, 1));
  for (const auto& [name, tensor] : reference)
    if (name.starts_with("model.encoder.")) {
      EXPECT_TRUE(own.at(name.substr(6)).equal(tensor)) << name;
    }
}

}  // namespace
}  // namespace nephron::host
