#include <host/model/backward.hpp>

#include <functional>
#include <optional>
#include <semaphore>
#include <stdexcept>
#include <thread>
#include <utility>

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

/// A thread that stays, as those of LibTorch's engine do, and works when it is told to.
class Helper {
 public:
  Helper() : thread_([this] { run(); }) {}
  ~Helper() {
    give({});
    thread_.join();
  }
  void operator()(std::function<void()> work) {
    give(std::move(work));
    done_.acquire();
  }

 private:
  void give(std::function<void()> work) {
    work_ = std::move(work);
    asked_.release();
  }
  void run() {
    for (asked_.acquire(); work_; asked_.acquire()) work_(), done_.release();
  }
  std::function<void()> work_;
  std::binary_semaphore asked_{0}, done_{0};
  std::thread thread_;
};

// Gradients on a GPU are made by a thread that outlives the pass.
TEST(Backward, WhatItHadComeToIsForgottenWithIt) {
  const BackwardPlace* const place = place_of("encoder \"e\"");
  Helper there;
  std::optional<PassScope> pass(std::in_place);
  there([&] {
    PassScope::reached(&place->call);
    EXPECT_EQ(current_call(), &place->call);
    {
      const Call call;
      const CallScope inner(&call);
      EXPECT_EQ(current_call(), &call);
    }
    EXPECT_EQ(current_call(), &place->call);
  });
  pass.reset();
  there([] { EXPECT_EQ(current_call(), nullptr) << "the pass is over"; });
  pass.emplace();
  there([] { EXPECT_EQ(current_call(), nullptr) << "it was another one"; });
  pass.reset();

  const at::Tensor weight = at::ones({2}).set_requires_grad(true);
  const at::Tensor out = weight * 2;
  mark_backward(out, place);
  out.sum().backward();
  EXPECT_EQ(current_call(), nullptr) << "nobody is there to put it back";
}

}  // namespace
}  // namespace nephron::host
