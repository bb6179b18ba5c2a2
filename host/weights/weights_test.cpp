#include <host/weights/weights.hpp>

#include <filesystem>
#include <fstream>

#include <sys/stat.h>
#include <unistd.h>

#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nephron/error.hpp>
#include <nephron/nn/blocks.hpp>

#include <tests/support/scratch_folder.hpp>

namespace nephron::host {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Weights : public ::testing::Test {
 protected:
  std::filesystem::path file(const std::string& name) const { return folder_ / name; }
  const ScratchFolder scratch_{"weights"};
  const std::filesystem::path& folder_ = scratch_.path();
};

TEST_F(Weights, SafetensorsKeepEveryTypeAndShape) {
  TensorMap tensors;
  for (const auto type :
       {at::kFloat, at::kDouble, at::kHalf, at::kBFloat16, at::kLong, at::kInt, at::kShort, at::kChar, at::kByte})
    tensors.emplace(c10::toString(type), at::arange(6, at::kFloat).view({2, 3}).to(type));
  tensors.emplace("bool", at::ones({3}, at::kBool));
  tensors.emplace("scalar", at::full({}, 3, at::kLong));
  tensors.emplace("empty", at::zeros({0, 4}));
  tensors.emplace("transposed", at::arange(6, at::kFloat).view({2, 3}).t());
  write_tensors(file("a.safetensors"), tensors, {{"made by", "a \"test\""}});
  std::map<std::string, std::string> metadata;
  const TensorMap back = read_tensors(file("a.safetensors"), &metadata);
  EXPECT_EQ(metadata.at("made by"), "a \"test\"");
  ASSERT_EQ(back.size(), tensors.size());
  for (const auto& [name, tensor] : tensors) {
    EXPECT_EQ(back.at(name).scalar_type(), tensor.scalar_type()) << name;
    EXPECT_TRUE(at::equal(back.at(name), tensor)) << name;
  }
}

TEST_F(Weights, StrictLoadingNamesEveryDifferenceAndChangesNothing) {
  nn::ConvNormRelu block(3, 4, 3);
  TensorMap weights;
  for (const auto& [name, tensor] : state_dict(block))
    weights.emplace(name, at::full(tensor.sizes(), 2, tensor.scalar_type()));
  weights.erase("1.bias");
  weights.erase("1.num_batches_tracked");  // never counts
  weights.insert_or_assign("0.weight", at::zeros({4, 3, 1, 1}));
  weights.emplace("fc.weight", at::zeros({10}));
  const at::Tensor before = state_dict(block).at("1.weight").clone();
  try {
    apply_weights(block, weights, true, "some.pth");
    FAIL() << "strict loading took weights that do not fit";
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), HasSubstr("the weights of some.pth do not fit the model"));
    EXPECT_THAT(e.what(), HasSubstr("    1.bias  4\n"));
    EXPECT_THAT(e.what(), HasSubstr("    fc.weight  10\n"));
    EXPECT_THAT(e.what(), HasSubstr("    0.weight  4x3x1x1, 4x3x3x3"));
    EXPECT_THAT(e.hint(), HasSubstr("strict = false"));
  }
  EXPECT_TRUE(at::equal(state_dict(block).at("1.weight"), before));

  const WeightReport report = apply_weights(block, weights, false, "some.pth");
  EXPECT_THAT(report.missing, ElementsAre("1.bias  4"));
  EXPECT_EQ(state_dict(block).at("1.weight")[0].item<float>(), 2);
  EXPECT_THROW(apply_weights(block, {{"other", at::zeros({1})}}, false, "other.pth"), Error);
}

TEST_F(Weights, NamesComeInPythonsOrder) {
  const nn::ConvNormRelu block(3, 4, 3);
  EXPECT_THAT(state_dict_order(block), ElementsAre("0.weight", "1.weight", "1.bias", "1.running_mean", "1.running_var",
                                                   "1.num_batches_tracked"));
}

// A pipe would be waited for, and a link to /dev/zero never ends.
TEST_F(Weights, ArePlainFiles) {
  ASSERT_EQ(::mkfifo(file("pipe").c_str(), 0600), 0);
  std::filesystem::create_symlink("/dev/zero", file("zero.safetensors"));
  for (const char* name : {"pipe", "zero.safetensors"})
    EXPECT_THAT([&] { read_tensors(file(name)); },
                testing::ThrowsMessage<Error>(AllOf(HasSubstr(name), HasSubstr("it is no plain file"))));
}

TEST_F(Weights, DamagedHeadersAreExplained) {
  const auto message = [&](const std::string& header, const std::string& data) {
    std::ofstream out(file("bad.safetensors"), std::ios::binary);
    const std::uint64_t length = header.size();
    out.write(reinterpret_cast<const char*>(&length), sizeof length);
    out << header << data;
    out.close();
    try {
      read_tensors(file("bad.safetensors"));
    } catch (const Error& e) {
      return std::string(e.what());
    }
    return std::string("no error");
  };
  EXPECT_THAT(message(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", "1234"), HasSubstr("needs 8 bytes"));
  EXPECT_THAT(message(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", "12345678"),
              HasSubstr("lies at bytes 4 to 8"));
  EXPECT_THAT(message(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", "12"),
              HasSubstr("damaged or cut off"));
  EXPECT_THAT(message(R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}})", "1234"),
              HasSubstr("impossibly large"));
  EXPECT_THAT(message(R"({"a":{"dtype":"C64","shape":[],"data_offsets":[0,8]}})", "12345678"), HasSubstr("\"C64\""));
  EXPECT_THAT(message("{" + std::string(100000, '['), ""), HasSubstr("not valid JSON"));
  EXPECT_THAT(message(R"({"a":)" + std::string(100000, '[') + std::string(100000, ']') + "}", ""),
              HasSubstr("nested deeper"));
}

}  // namespace
}  // namespace nephron::host
