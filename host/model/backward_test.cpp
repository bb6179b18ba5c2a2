#include <host/model/backward.hpp>

#include <stdexcept>

#include <ATen/ops/ones.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nephron::host {
namespace {

using testing::HasSubstr;

const BackwardPlace* place_of(const std::string& component) {
  return backward_place({.plugin = "\"p\" (/p.so)", .component = component, .place = "e.toml:3:1", .doing = ""});
}

/// A step in which the gradient of one part cannot be made; what is said of it.
std::string error_in(const std::string& wrong) {
  static const BackwardPlace *const encoder = place_of("encoder \"e\""), *const decoder = place_of("decoder \"d\""),
                                    *const loss = place_of("loss \"l\"");
  const auto part = [&](const at::Tensor& in, const std::string& name, const BackwardPlace* place) {
    const at::Tensor inner = in * 2;
    if (name == wrong) inner.register_hook([](const at::Tensor&) { throw std::runtime_error("no gradient"); });
    const at::Tensor out = inner * 3;
    mark_backward(out, place);
    return out;
  };
  const at::Tensor weight = at::ones({2}).set_requires_grad(true);
  const at::Tensor logits = part(part(part(weight, "encoder", encoder), "decoder", decoder), "head", nullptr);
  try {
    run_backward(part(logits, "loss", loss).sum());
  } catch (const std::exception& e) {
    EXPECT_EQ(current_call(), nullptr);
    return e.what();
  }
  EXPECT_EQ(weight.grad()[0].item<float>(), 6 * 6 * 6 * 6);
  return "";
}

TEST(Backward, NamesThePartThatItHadComeTo) {
  EXPECT_EQ(error_in("nothing"), "");
  EXPECT_EQ(error_in("loss"), "e.toml:3:1: loss \"l\" of plugin \"p\" (/p.so) failed in backward: no gradient");
  EXPECT_THAT(error_in("decoder"), HasSubstr("decoder \"d\" of plugin \"p\" (/p.so) failed in backward"));
  EXPECT_THAT(error_in("encoder"), HasSubstr("encoder \"e\" of plugin \"p\" (/p.so) failed in backward"));
  EXPECT_EQ(error_in("head"), "no gradient") << "the head is no plugin's";
}

}  // namespace
}  // namespace nephron::host
