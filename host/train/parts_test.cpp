// Parts of a network by pattern: groups of parameters, layers of an encoder, freezing, averaged weights in use.
#include <memory>

#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nephron/error.hpp>
#include <nephron/nn/blocks.hpp>

#include <host/train/averaged_weights.hpp>
#include <host/train/freezing.hpp>
#include <host/train/optimizer.hpp>
#include <host/train/parameter_groups.hpp>

namespace nephron::host {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

std::string hint_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& e) {
    return e.hint();
  }
  return "no error";
}

/// Convolutions [2, 1, 1, 1] and vectors [2], told by the last word.
NamedTensors named(const std::vector<std::string>& names) {
  NamedTensors out;
  for (const std::string& name : names)
    out.emplace_back(name, (name.ends_with("conv") ? at::ones({2, 1, 1, 1}) : at::ones({2})).set_requires_grad(true));
  return out;
}

const std::vector<std::string> resnet{"encoder.conv1.conv",
                                      "encoder.bn1.bias",
                                      "encoder.layer1.0.conv1.conv",
                                      "encoder.layer1.0.bn.bias",
                                      "encoder.layer1.0.downsample.0.conv",
                                      "encoder.layer1.1.conv1.conv",
                                      "encoder.layer2.0.conv1.conv",
                                      "decoder.blocks.0.conv1.0.conv",
                                      "segmentation_head.0.bias"};

TEST(Parts, APatternNamesParametersAndModules) {
  EXPECT_TRUE(names_part("encoder", "encoder.layer1.0.conv1.weight"));
  EXPECT_TRUE(names_part("encoder.*", "encoder.conv1.weight"));
  EXPECT_TRUE(names_part("encoder.layer?", "encoder.layer1.0.conv1.weight"));
  EXPECT_TRUE(names_part("*.bias", "encoder.bn1.bias"));
  EXPECT_TRUE(names_part("*.0", "encoder.layer1.0.conv1.weight"));
  EXPECT_FALSE(names_part("enc", "encoder.conv1.weight"));
  EXPECT_FALSE(names_part("conv1", "encoder.conv1.weight"));
  EXPECT_FALSE(names_part("encoder.layer?", "encoder.conv1.weight"));
  EXPECT_FALSE(names_part("", "encoder.conv1.weight"));
  // What would take for ever if every star were tried at every place.
  EXPECT_FALSE(names_part("*a*a*a*a*a*a*a*a*a*a*a*a*b", std::string(2000, 'a')));
}

TEST(Parts, WhatNamesNothingIsToldWithWhatIsNear) {
  const NamedTensors all = named(resnet);
  EXPECT_THAT([&] { part_of(all, "encoder.layr1.*"); },
              ThrowsMessage<Error>(HasSubstr("\"encoder.layr1.*\" matches no parameter")));
  EXPECT_EQ(hint_of([&] { part_of(all, "encoder.layr1.*"); }),
            "did you mean \"encoder.layer1\"? \"encoder\" holds conv1, bn1, layer1, layer2");
  EXPECT_EQ(hint_of([&] { part_of(all, "head"); }), "the network holds encoder, decoder, segmentation_head");
  EXPECT_EQ(hint_of([&] { part_of(all, "encodr"); }),
            "did you mean \"encoder\"? the network holds encoder, decoder, segmentation_head");
}

TEST(ParameterGroups, TheFirstPatternCountsAndVectorsAreSpared) {
  TrainConfig config;
  config.optimizer.weight_decay = 0.1;
  config.optimizer.decay_norms_and_biases = false;
  config.groups = {{"encoder.layer1", 0.5, {}}, {"encoder", 0.1, 0.0}};
  const auto groups = parameter_groups(config, named(resnet));
  ASSERT_EQ(groups.size(), 6U);
  EXPECT_EQ(groups[0].parameters.size(), 3U);
  EXPECT_EQ(groups[0].lr_factor, 0.5);
  EXPECT_EQ(groups[0].weight_decay, 0.1) << "a group that says nothing has the optimiser's";
  EXPECT_EQ(groups[1].name, "\"encoder.layer1\", norms and biases");
  EXPECT_EQ(groups[1].weight_decay, 0);
  EXPECT_EQ(groups[2].lr_factor, 0.1);
  EXPECT_EQ(groups[2].weight_decay, 0);
  EXPECT_EQ(groups[4].name, "the rest");
  EXPECT_EQ(groups[4].weight_decay, 0.1);
  EXPECT_THAT(groups_text(groups), HasSubstr("\"encoder.layer1\": 3 tensors, 6 values, rate x 0.5, weight decay 0.1"));
  config.groups = {{"encoder", 1, {}}, {"encoder.layer1", 1, {}}};
  EXPECT_THAT([&] { parameter_groups(config, named(resnet)); },
              ThrowsMessage<Error>(HasSubstr("\"encoder.layer1\" matches belongs to the groups before it")));
  EXPECT_EQ(groups_text(parameter_groups(TrainConfig{}, named(resnet))), "") << "all are alike";
}

TEST(ParameterGroups, EncodersAreDividedIntoBlocksAndWhatLiesBetween) {
  EXPECT_THAT(encoder_layers(named(resnet)), ElementsAre(0, 0, 1, 1, 1, 2, 3, -1, -1));
  EXPECT_THAT(encoder_layers(named({"encoder._conv_stem.conv", "encoder._blocks.0._bn0.bias",
                                    "encoder._blocks.10._bn0.bias", "encoder._conv_head.conv"})),
              ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(
      encoder_layers(named({"encoder.model.stem_0.conv", "encoder.model.stages_0.blocks.0.mlp.fc1.conv",
                            "encoder.model.stages_1.downsample.0.bias", "encoder.model.stages_1.downsample.1.conv",
                            "encoder.model.stages_1.blocks.0.gamma"})),
      ElementsAre(0, 1, 2, 2, 2))
      << "a number that names no module with others below it is no block";
  TrainConfig config;
  config.optimizer.layer_decay = 0.5;
  const auto groups = parameter_groups(config, named(resnet));
  ASSERT_EQ(groups.size(), 5U);
  EXPECT_EQ(groups[0].name, "the rest");
  EXPECT_EQ(groups[0].lr_factor, 1);
  EXPECT_EQ(groups[1].parameters[0].first, "encoder.layer2.0.conv1.conv");
  EXPECT_EQ(groups[1].lr_factor, 0.5);
  EXPECT_EQ(groups[4].parameters[0].first, "encoder.conv1.conv");
  EXPECT_EQ(groups[4].lr_factor, 0.0625);
  EXPECT_THAT(groups_text(groups), HasSubstr("encoder, layer by layer: 7 tensors, 14 values, rate x 0.0625 to x 0.5"));
  EXPECT_THAT(
      [&] {
        parameter_groups(config, named({"encoder.conv.conv", "decoder.conv"}));
      },
      ThrowsMessage<Error>(HasSubstr("tells no layers apart")));
}

struct Network final : torch::nn::Module {
  Network() {
    encoder = register_module("encoder", std::make_shared<nn::ConvNormRelu>(3, 4, 3));
    decoder = register_module("decoder", std::make_shared<nn::ConvNormRelu>(4, 2, 3));
  }
  at::Tensor forward(const at::Tensor& x) { return decoder->forward(encoder->forward(x)); }
  NamedTensors all() const {
    NamedTensors out;
    for (const auto& item : named_parameters()) out.emplace_back(item.key(), item.value());
    return out;
  }
  std::shared_ptr<nn::ConvNormRelu> encoder, decoder;
};

TEST(Freezing, WhatIsFrozenStaysUntilItsEpoch) {
  const auto network = std::make_shared<Network>();
  TrainConfig config;
  config.freeze = {{"encoder", 1, 3}};
  const Freezing freezing(config, network->all());
  Optimizer optimizer(config.optimizer, network->all());
  EXPECT_EQ(freezing.text(0), "nothing is frozen");
  EXPECT_EQ(freezing.text(1), "3 of 6 parameters (116 of 192 values) are frozen");
  for (const std::int64_t epoch : {0, 1, 2, 3}) {
    const bool frozen = epoch == 1 || epoch == 2;
    freezing.apply(*network, epoch);
    TensorMap before;
    for (const auto& [name, tensor] : state_dict(*network)) before[name] = tensor.detach().clone();
    EXPECT_EQ(network->encoder->is_training(), !frozen);
    EXPECT_EQ(network->encoder->children()[1]->is_training(), !frozen);
    EXPECT_TRUE(network->decoder->is_training());
    network->forward(at::ones({2, 3, 4, 4}).normal_()).square().sum().backward();
    optimizer.step(0.1);
    optimizer.zero_grad();
    for (const auto& [name, tensor] : state_dict(*network))
      EXPECT_EQ(at::equal(tensor, before.at(name)), frozen && name.starts_with("encoder")) << name << ", " << epoch;
    network->train();  // as validation leaves it
  }
  config.freeze = {{"encoder", 0, {}}, {"decoder", 5, 6}};
  EXPECT_THAT([&] { Freezing(config, network->all()); },
              ThrowsMessage<Error>(HasSubstr("everything is frozen in epoch 6")));
  config.epochs = 5;
  EXPECT_NO_THROW(Freezing(config, network->all())) << "training ends before";
}

TEST(AveragedWeights, AreTheNetworksWhileInUse) {
  const auto network = std::make_shared<Network>();
  AveragedWeights average({.type = "ema", .decay = 0.5, .ramp = true}, *network);
  average.add(0);
  at::Tensor weight = network->parameters()[0];
  const at::Tensor first = weight.detach().clone();
  {
    const at::NoGradGuard no_grad;
    weight += 1;
  }
  average.add(1);
  const at::Tensor own = weight.detach().clone(), mean = average.tensors().at("encoder.0.weight").clone();
  // The second step has the decay (1 + 1) / (10 + 1) in place of 0.5.
  EXPECT_LT((mean - (first + 9.0 / 11)).abs().max().item<double>(), 1e-6);
  const at::Tensor x = at::ones({2, 3, 4, 4}).normal_();
  {
    const AveragedWeights::InUse in_use(average);
    EXPECT_TRUE(at::equal(weight, mean));
    EXPECT_TRUE(at::equal(state_dict(*network).at("encoder.0.weight"), mean));
    EXPECT_TRUE(weight.requires_grad());
  }
  EXPECT_TRUE(at::equal(weight, own));
  EXPECT_TRUE(at::equal(average.tensors().at("encoder.0.weight"), mean));
  TensorMap saved = average.tensors();
  EXPECT_EQ(saved.size(), state_dict(*network).size()) << "a file of its own, which any network takes";
  saved.erase("encoder.0.weight");
  EXPECT_THAT([&] { average.load(saved); }, ThrowsMessage<Error>(HasSubstr("lack \"encoder.0.weight\"")));
}

}  // namespace
}  // namespace nephron::host
