#include <nephron/object_classes.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nephron/error.hpp>
#include <nephron/ignored.hpp>
#include <nephron/target_rules.hpp>

#include <tests/support/error_of.hpp>

namespace nephron {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::vector<std::string> classes{"healthy", "unhealthy", "cortex"};

TEST(ObjectClasses, NamesMayHaveSeveralClassesOrNone) {
  const ObjectClasses c({{"G", "healthy"}, {"fc", "unhealthy"}, {"FC", "healthy"}, {"other", ""}}, classes);
  EXPECT_THAT(c.of("g", "f"), ElementsAre(0));
  EXPECT_THAT(c.of("FC", "f"), ElementsAre(1, 0));
  EXPECT_THAT(c.of("Other", "f"), IsEmpty());
  EXPECT_THAT(error_and_hint_of([&] { (void)c.of("X", "a.json"); }),
              HasSubstr("a.json: an object is classified as \"X\"; expected one of \"G\", \"fc\", \"other\""));
  EXPECT_THAT(error_and_hint_of([&] { (void)c.of("", "a.json"); }), HasSubstr("an object has no classification"));
  EXPECT_THAT(error_and_hint_of([] {
                ObjectClasses({{"G", "helthy"}}, classes);
              }),
              AllOf(HasSubstr("\"helthy\" is not one of"), HasSubstr("did you mean \"healthy\"?")));
}

TEST(ObjectClasses, IgnoredNamesAreIgnoredAndNothingElse) {
  ObjectClasses c({{"G", "healthy"}, {"FC", "unhealthy"}}, classes);
  c.ignore({"fc", "Artefact"});
  EXPECT_THAT(c.of("G", "f"), ElementsAre(0));
  EXPECT_THAT(c.of("FC", "f"), ElementsAre(AnnotationSink::ignored));
  EXPECT_THAT(c.of("artefact", "f"), ElementsAre(AnnotationSink::ignored));
  EXPECT_TRUE(is_ignored("FC", {"fc"}));
  EXPECT_FALSE(is_ignored("FC", {"f", "fcc"}));
}

TEST(TargetRules, FillInWhatTheyDoNotName) {
  std::vector<ChannelRule> otherwise{{1, 2, 1}, {2, 0, 1}, {4, 0, 0.5F}};
  const auto rules = channel_rules({{"unhealthy", {"healthy", "unhealthy"}, {"cortex"}, 0}, {"cortex", {}, {}, 2}},
                                   otherwise, classes);
  ASSERT_EQ(rules.size(), 3U);
  EXPECT_EQ(rules[0].none_of, 2U);
  EXPECT_EQ(rules[1].any_of, 3U);
  EXPECT_EQ(rules[1].none_of, 4U);
  EXPECT_EQ(rules[1].weight, 0);
  EXPECT_EQ(rules[2].any_of, 4U);
  EXPECT_EQ(rules[2].weight, 2);
  EXPECT_THAT(error_and_hint_of([&] {
                channel_rules({{"cortex", {}, {}, 1}, {"cortex", {}, {}, 1}}, otherwise, classes);
              }),
              HasSubstr("twice"));
  EXPECT_THAT(error_and_hint_of([&] {
                channel_rules({{"cortex", {"kortex"}, {}, 1}}, otherwise, classes);
              }),
              HasSubstr("\"kortex\""));
}

}  // namespace
}  // namespace nephron
