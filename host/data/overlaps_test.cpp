#include <host/data/overlaps.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nephron/error.hpp>

#include <host/data/memory_slide.hpp>

namespace nephron::host {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// A slide of 40 x 40 whose upper half has class a and lower half class b; `both` pixels of the first row have both.
PreparedData slides(int both, std::uint32_t none_of = 0) {
  MemorySlide::Parts parts;
  parts.info.id = "s";
  parts.classes = 2;
  parts.annotated = true;
  parts.image = Image({40, 40}, 3);
  parts.labels = Image({40, 40}, 1);
  for (std::int64_t y = 0; y < 40; ++y)
    for (std::int64_t x = 0; x < 40; ++x)
      parts.labels.view().row<std::uint8_t>(y)[x] = static_cast<std::uint8_t>(y == 0 && x < both ? 3 : y < 20 ? 1 : 2);
  parts.targets = {{.any_of = 1, .none_of = none_of, .weight = 1}, {.any_of = 2, .none_of = 0, .weight = 1}};
  PreparedData data;
  data.slides.push_back(std::make_shared<MemorySlide>(std::move(parts)));
  return data;
}

Experiment experiment(bool exclusive) {
  Experiment out;
  out.classes = {"a", "b"};
  out.exclusive = exclusive;
  return out;
}

TEST(CheckExclusive, RefusesWhatASoftmaxCannotLearn) {
  EXPECT_THAT(check_exclusive(experiment(true), slides(0)), IsEmpty());
  EXPECT_THAT(check_exclusive(experiment(true), slides(16)),
              ElementsAre(AllOf(HasSubstr("slide \"s\" has 16 of 1600 labelled pixels with several classes"),
                                HasSubstr("at 0,0, has \"a\" and \"b\""))));
  EXPECT_THROW(check_exclusive(experiment(true), slides(17)), Error);
  EXPECT_THAT(check_exclusive(experiment(false), slides(17)), IsEmpty()) << "each class for itself may overlap";
  EXPECT_THAT(check_exclusive(experiment(true), slides(17, /*none_of=*/2)), IsEmpty())
      << "targets count, not what was drawn";
}

TEST(CheckExclusive, RefusesWhatALossOfExclusiveClassesCannotLearn) {
  EXPECT_THAT(check_exclusive(experiment(false), slides(0), "ce"), IsEmpty());
  EXPECT_THAT(check_exclusive(experiment(false), slides(16), "ce"),
              ElementsAre(HasSubstr("which the loss \"ce\" takes to exclude each other")));
  EXPECT_THAT([] { check_exclusive(experiment(false), slides(17), "ce"); },
              testing::ThrowsMessage<Error>(HasSubstr("which the loss \"ce\" takes to exclude each other")));
}

}  // namespace
}  // namespace nephron::host
