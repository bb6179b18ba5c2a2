// What is estimated beside what a training step takes, in a process of its own a configuration.
#include <host/train/memory.hpp>

#include <cstdio>
#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nephron/error.hpp>

#include <host/model/memory_need.hpp>

namespace nephron::host {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

TEST(RequireMemory, RefusesWhatCannotFitAndNamesWhatToLower) {
  constexpr std::int64_t giga = 1000000000;
  EXPECT_NO_THROW(require_memory("training", 7 * giga, 10 * giga, "Lower it."));
  EXPECT_NO_THROW(require_memory("training", 12 * giga, 10 * giga, "Lower it.")) << "near is warned of";
  try {
    require_memory("training with batches of 4096 tiles", 22400000000, 10 * giga, "Lower it.");
    FAIL() << "22.4 of 10 GB";
  } catch (const Error& e) {
    EXPECT_STREQ(e.what(), "training with batches of 4096 tiles needs about 22.4 GB of memory, and 10.0 GB are free");
    EXPECT_EQ(e.hint(), "Lower it.");
  }
}

}  // namespace
}  // namespace nephron::host
