#include <nephron/object_matching.hpp>

#include <gtest/gtest.h>

namespace nephron {
namespace {

MeasuredObjects objects_of(std::size_t found, std::size_t truth, std::vector<ObjectPair> pairs) {
  MeasuredObjects out;
  out.found.resize(found);
  out.truth.resize(truth);
  out.pairs = std::move(pairs);
  return out;
}

TEST(ObjectMatching, TakesTheLargestIouFirst) {
  const MeasuredObjects objects = objects_of(3, 2, {{0, 0, 5, 0.4}, {1, 0, 9, 0.6}, {1, 1, 3, 0.3}, {2, 1, 2, 0.2}});
  const auto matched = matched_by_iou(objects, 0.25);
  ASSERT_EQ(matched.size(), 1U) << "found 1 takes truth 0; truth 1 is left with an IoU of 0.2";
  EXPECT_EQ(matched[0].found, 1U);
  EXPECT_EQ(matched_by_iou(objects, 0.1).size(), 2U);
  EXPECT_EQ(matched_by_iou(objects, 0.6).size(), 1U) << "at least so much";
  EXPECT_TRUE(matched_by_iou(objects, 0.61).empty());
}

TEST(ObjectMatching, KeepsClassesApart) {
  MeasuredObjects objects = objects_of(1, 1, {{0, 0, 5, 0.9}});
  objects.truth[0].class_index = 1;
  EXPECT_TRUE(matched_by_iou(objects, 0.5).empty());
  EXPECT_TRUE(matched_by_confidence(objects, 0.5).empty());
}

TEST(ObjectMatching, TheSurestChoosesFirst) {
  MeasuredObjects objects = objects_of(2, 2, {{0, 0, 5, 0.9}, {1, 0, 5, 0.7}, {1, 1, 5, 0.6}});
  objects.found[0].confidence = 0.5;
  objects.found[1].confidence = 0.8;
  const auto matched = matched_by_confidence(objects, 0.5);
  ASSERT_EQ(matched.size(), 1U) << "found 1 takes truth 0, the best for it; found 0 has no other";
  EXPECT_EQ(matched[0].found, 1U);
  EXPECT_EQ(matched[0].truth, 0U);
}

}  // namespace
}  // namespace nephron
