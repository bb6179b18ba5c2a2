// Every member of the families with Unet, and every decoder with some of them: parameter counts, buffers, levels, and
// the names and shapes of the state dict in order, against the tables measured from SMP 0.6.0. SMP has the lite
// EfficientNets under timm's names, and ConvNeXts as its "tu-" encoders.
#include <fstream>
#include <map>

#include <unistd.h>

#include <gtest/gtest.h>

#include <nephron/nn/levels.hpp>

#include <host/util/files.hpp>
#include <host/weights/weights.hpp>

#include <tests/parity/models/support.hpp>

namespace nephron::host {
namespace {

using testing::model_config;

std::vector<std::string> split(const std::string& line) {
  std::vector<std::string> cells(1);
  for (const char c : line) {
    if (c == ',') cells.emplace_back();
    else if (c != '\r') cells.back() += c;
  }
  return cells;
}

/// Rows of a decoder by encoder, each a map from column to text. `decoder`: SMP's name.
std::map<std::string, std::map<std::string, std::string>> oracle(const std::filesystem::path& csv,
                                                                 const std::string& decoder) {
  std::ifstream in(csv);
  std::string line;
  std::getline(in, line);
  const std::vector<std::string> header = split(line);
  std::map<std::string, std::map<std::string, std::string>> rows;
  while (std::getline(in, line)) {
    const std::vector<std::string> cells = split(line);
    std::map<std::string, std::string> row;
    for (std::size_t i = 0; i < header.size() && i < cells.size(); ++i) row[header[i]] = cells[i];
    if (row["decoder"] == decoder) rows[row["encoder"]] = row;
  }
  return rows;
}

std::string python_shape(at::IntArrayRef shape) {
  std::string text = "(";
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i > 0 ? ", " : "") + std::to_string(shape[i]);
  return text + (shape.size() == 1 ? ",)" : ")");
}

std::string sha256(const std::string& text, const std::string& name) {
  const auto file =
      std::filesystem::temp_directory_path() / ("nephron-names-" + name + "." + std::to_string(::getpid()));
  write_file_atomically(file, text);
  const std::string sum = sha256_of(file);
  std::filesystem::remove(file);
  return sum;
}

struct Pair {
  std::string decoder, encoder;
};

const std::map<std::string, std::string> smp_names{{"unet", "Unet"},
                                                   {"unet++", "UnetPlusPlus"},
                                                   {"fpn", "FPN"},
                                                   {"linknet", "Linknet"},
                                                   {"deeplabv3+", "DeepLabV3Plus"}};

std::vector<Pair> every_encoder() {
  std::vector<Pair> out;
  for (const char* encoder :
       {"resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "efficientnet-b0", "efficientnet-b1",
        "efficientnet-b2", "efficientnet-b3", "efficientnet-b4", "efficientnet-b5", "efficientnet-b6",
        "efficientnet-b7", "efficientnet-lite0", "efficientnet-lite1", "efficientnet-lite2"})
    out.push_back({"unet", encoder});
  return out;
}

std::vector<Pair> every_convnext() {
  std::vector<Pair> out;
  for (const char* encoder : {"convnext_atto", "convnext_femto", "convnext_pico", "convnext_nano", "convnext_tiny",
                              "convnext_small", "convnext_base"})
    out.push_back({"unet", encoder});
  for (const auto& [ours, theirs] : smp_names)
    for (const char* encoder : {"convnext_atto", "convnext_tiny"})
      if (ours != "unet") out.push_back({ours, encoder});
  return out;
}

std::vector<Pair> every_decoder() {
  std::vector<Pair> out;
  for (const auto& [ours, theirs] : smp_names)
    for (const char* encoder :
         {"resnet18", "resnet34", "resnet50", "efficientnet-b0", "efficientnet-b1", "efficientnet-b4"})
      if (ours != "unet") out.push_back({ours, encoder});
  return out;
}

class Families : public ::testing::TestWithParam<Pair> {};

TEST_P(Families, MatchSmp) {
  const auto& [decoder, encoder] = GetParam();
  const bool of_timm = encoder.starts_with("convnext");  // their table is here: the shared one has no "tu-" encoders
  const auto shared = testing::shared_folder();
  if (!of_timm && !shared) GTEST_SKIP() << "no shared data (NEPHRON_SHARED)";
  const auto table = of_timm ? std::filesystem::path(NEPHRON_SOURCE_DIR) / "tests/parity/models/convnext.csv"
                             : *shared / "data/smp-oracle/models.csv";
  const auto rows = oracle(table, smp_names.at(decoder));
  const std::size_t lite = encoder.find("lite");
  const bool own_names = lite == std::string::npos;
  const std::string theirs = of_timm     ? "tu-" + encoder
                             : own_names ? encoder
                                         : "timm-tf_efficientnet_" + encoder.substr(lite);
  ASSERT_TRUE(rows.contains(theirs));
  const auto& row = rows.at(theirs);
  const Registry registry = testing::plugins_under_test();
  ModelConfig config = model_config(encoder);
  config.decoder.type = decoder;
  const auto model = build_model(config, 2, registry, 1);
  std::int64_t parameters = 0, buffers = 0;
  for (const at::Tensor& p : model->parameters()) parameters += p.numel();
  for (const at::Tensor& b : model->buffers())
    if (b.is_floating_point()) buffers += b.numel();
  EXPECT_EQ(std::to_string(parameters), row.at("params"));
  EXPECT_EQ(std::to_string(buffers), row.at("buffers"));
  std::string channels;
  for (const Level& level :
       nn::every_halving("the table", model->levels(), 5))  // SMP gives a skipped stride 0 channels
    channels += (channels.empty() ? "" : " ") + std::to_string(level.channels);
  EXPECT_EQ(channels, row.at("encoder_out_channels"));
  const TensorMap tensors = state_dict(*model);
  std::string names;
  for (const std::string& name : state_dict_order(*model))
    names += (names.empty() ? "" : "\n") + name + " " + python_shape(tensors.at(name).sizes());
  EXPECT_EQ(std::to_string(tensors.size()), row.at("state_dict_tensors"));
  if (own_names) {
    EXPECT_EQ(sha256(names, decoder + encoder), row.at("state_dict_names_sha256")) << names.substr(0, 2000);
  }
}

std::string test_name(const ::testing::TestParamInfo<Pair>& tested) {
  std::string name = smp_names.at(tested.param.decoder) + "_" + tested.param.encoder;
  std::erase(name, '-');
  return name;
}

INSTANTIATE_TEST_SUITE_P(ConvNeXt, Families, ::testing::ValuesIn(every_convnext()), test_name);
INSTANTIATE_TEST_SUITE_P(Encoders, Families, ::testing::ValuesIn(every_encoder()), test_name);
INSTANTIATE_TEST_SUITE_P(Decoders, Families, ::testing::ValuesIn(every_decoder()), test_name);

}  // namespace
}  // namespace nephron::host
