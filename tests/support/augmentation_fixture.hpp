#pragma once

#include <memory>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include <host/plugins/host_context.hpp>
#include <host/plugins/registry.hpp>
#include <tests/support/written_plan.hpp>

namespace nephron::host {

/// An augmentation from its own plugin file, and the plans that it draws.
class AugmentationFixture : public testing::Test {
 protected:
  explicit AugmentationFixture(const std::string& component) : context_(component, "augmentation[0]") {}

  std::shared_ptr<Augmentation> make(Value::Table params = {}) { return make(context_.name, std::move(params)); }
  /// Another component of the file.
  std::shared_ptr<Augmentation> make(const std::string& component, Value::Table params) {
    return registry_.create<Augmentation>(ComponentSpec{component, Value(std::move(params)), {}}, context_);
  }
  static WrittenPlan draw(const Augmentation& a, std::uint64_t index, Size size = {384, 200}) {
    Rng rng(3, "augmentation[0]", 0, index);
    WrittenPlan plan;
    a.draw(sample_of(size), rng, plan);
    EXPECT_EQ(plan.calls, 1);
    return plan;
  }
  Registry registry_{PluginSearch{{NEPHRON_PLUGIN_FILE}, {}}};
  HostContext context_;
};

}  // namespace nephron::host
