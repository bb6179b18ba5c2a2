#include <host/inference/smp_model.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nephron::host {
namespace {

using ::testing::HasSubstr;

ModelConfig model(const std::string& encoder, const std::string& decoder, Value::Table params = {}) {
  ModelConfig out;
  out.encoder.component = {encoder, Value(Value::Table{}), {}};
  out.decoder = {decoder, Value(std::move(params)), {}};
  return out;
}

TEST(SmpModel, DefaultsNeedNoArguments) {
  const SmpModel smp = smp_model(model("resnet34", "unet"), 2);
  EXPECT_EQ(smp.decoder, "Unet");
  EXPECT_EQ(smp.arguments.dump(), R"({"encoder_name":"resnet34","in_channels":3,"classes":2})");
  EXPECT_EQ(smp.padding, "smp-0.6.0");
  EXPECT_EQ(smp.why, "");
}

TEST(SmpModel, OptionsGetTheirNamesOverThere) {
  const Value channels(Value::Array{Value(64), Value(32), Value(16)});
  const SmpModel smp = smp_model(model("convnext_tiny", "unet++",
                                       {{"channels", channels, {}},
                                        {"norm", Value("none"), {}},
                                        {"attention", Value("none"), {}},
                                        {"fast", Value(false), {}},
                                        {"center", Value(false), {}},
                                        {"supervision", Value(true), {}}}),
                                 1);
  EXPECT_EQ(smp.decoder, "UnetPlusPlus");
  EXPECT_EQ(smp.arguments.dump(),
            R"({"encoder_name":"tu-convnext_tiny","decoder_channels":[64,32,16],"encoder_depth":3,)"
            R"("decoder_use_norm":false,"decoder_attention_type":null,"in_channels":3,"classes":1})");
}

TEST(SmpModel, WhatItDoesNotHaveIsSaid) {
  EXPECT_THAT(smp_model(model("efficientnet-lite0", "unet"), 1).why, HasSubstr("efficientnet-lite0"));
  EXPECT_THAT(smp_model(model("resnet34", "someones"), 1).why, HasSubstr("someones"));
  const SmpModel smp = smp_model(model("resnet34", "unet", {{"center", Value(true), {}}}), 1);
  EXPECT_THAT(smp.why, HasSubstr("\"center\""));
  EXPECT_EQ(smp.decoder, "");
}

}  // namespace
}  // namespace nephron::host
