// Objects with confidence and overlap, and the text that the page gets.
#include <host/view/object_set.hpp>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include <nephron/error.hpp>

namespace nephron::host {
namespace {

const Stop never = [] { return false; };

AnnotatedObject square(double x, double y, double side, const std::string& name = "a") {
  AnnotatedObject out;
  out.class_name = name;
  out.parts = {{{{x, y}, {x + side, y}, {x + side, y + side}, {x, y + side}}}};
  return out;
}

ObjectSet set_of(std::vector<AnnotatedObject> objects, Size size = {200, 100},
                 std::vector<std::string> classes = {"a"}) {
  LabelSet labels;
  labels.size = size;
  labels.classes = std::move(classes);
  labels.holds_objects = true;
  labels.objects = std::move(objects);
  return object_set(labels, {200, 100}, never);
}

class ConstantMap final : public GreyMap {
 public:
  explicit ConstantMap(Size size) : sizes_{size} {}
  const std::vector<Size>& levels() const noexcept override { return sizes_; }
  void read(std::size_t, const Region& region, const ImageView& out) const override {
    for (std::int64_t y = 0; y < region.height; ++y)
      for (std::int64_t x = 0; x < region.width; ++x)
        out.row<std::uint8_t>(y)[x] = static_cast<std::uint8_t>(region.x + x);  // grows to the right
  }
  std::size_t held_bytes() const noexcept override { return 0; }

 private:
  std::vector<Size> sizes_;
};

TEST(ObjectSet, PixelsAreThoseOfTheLabels) {
  const ObjectSet set = set_of({square(10, 20, 9)});
  ASSERT_EQ(set.objects.size(), 1U);
  EXPECT_EQ(set.objects[0].pixels, 100);
  EXPECT_EQ(set.objects[0].box, (Region{10, 20, 10, 10}));
}

TEST(ObjectSet, OverlapIsThatWithTheTrueObjectOfTheClass) {
  const std::vector<std::string> classes{"a", "b"};
  ObjectSet found = set_of({square(10, 10, 9), square(60, 10, 9), square(100, 50, 9, "b")}, {200, 100}, classes);
  const ObjectSet truth = set_of({square(15, 10, 9), square(19, 10, 9), square(100, 50, 9)}, {200, 100}, classes);
  add_overlap(found, truth, never);
  EXPECT_NEAR(found.objects[0].iou, 50.0 / 150, 1e-9);
  EXPECT_EQ(found.objects[1].iou, 0);
  EXPECT_EQ(found.objects[2].iou, 0);  // the true object is of another class
}

TEST(ObjectSet, ConfidenceIsTheHighestProbabilityUnlessTheFileTellsIt) {
  std::vector<AnnotatedObject> objects{square(10, 10, 9), square(50, 10, 9)};
  objects[1].measurements = {{"confidence", 0.25}};
  ObjectSet set = set_of(objects);
  add_confidence(
      set,
      [](const std::string&) {
        return std::make_shared<ConstantMap>(Size{200, 100});
      },
      never);
  EXPECT_NEAR(set.objects[0].confidence, 19 / 255.0, 1e-9);
  EXPECT_EQ(set.objects[1].confidence, 0.25);
}

TEST(ObjectSet, LabelsOfAnotherSizeAreScaledAndOthersRefused) {
  const ObjectSet set = set_of({square(20, 40, 19)}, {400, 200});
  ASSERT_EQ(set.objects.size(), 1U);
  EXPECT_EQ(set.objects[0].box.x, 10);
  EXPECT_EQ(set.objects[0].box.y, 20);
  EXPECT_THROW(set_of({square(20, 40, 19)}, {400, 100}), Error);
}

TEST(ObjectSet, MasksAreTraced) {
  LabelSet labels;
  labels.size = {200, 100};
  labels.classes = {"a"};
  labels.masks = {{{1005, 20}, {1105, 20}, {1205, 20}, {9000, 3}}};
  const ObjectSet set = object_set(labels, {200, 100}, never);
  ASSERT_EQ(set.objects.size(), 2U);
  EXPECT_EQ(set.objects[0].pixels, 60);
  EXPECT_EQ(set.objects[1].pixels, 3);
  EXPECT_EQ(set.unit, 1);
}

TEST(ObjectSet, AnOutlineOfTheWholeSlideIsPaintedInStrips) {
  LabelSet labels;
  labels.size = {30000, 20000};
  labels.classes = {"a"};
  labels.holds_objects = true;
  labels.objects = {square(5, 5, 19000)};
  const ObjectSet set = object_set(labels, labels.size, never);
  EXPECT_EQ(set.objects.at(0).pixels, std::int64_t{19001} * 19001);
}

TEST(ObjectSet, NobodyWaits) {
  LabelSet labels;
  labels.size = {200, 100};
  EXPECT_THROW(object_set(labels, {200, 100}, [] { return true; }), Cancelled);
}

TEST(ObjectJson, VerticesAreStepsAndNamesAreText) {
  ObjectSet set = set_of({square(10, 20, 9)}, {200, 100}, {"</script><b>\xff", "a"});
  const auto json = nlohmann::json::parse(json_of(set));
  EXPECT_EQ(json["unit"], 0.1);
  const auto& object = json["objects"][0];
  EXPECT_EQ(object[0], 1);
  EXPECT_TRUE(object[1].is_null());
  EXPECT_EQ(object[3], 100);
  const std::vector<int> ring = object[4][0][0];
  EXPECT_EQ(ring.size(), 8U);
  int x = 0, right = 0;
  for (std::size_t i = 0; i < ring.size(); i += 2) right = std::max(right, x += ring[i]);
  EXPECT_EQ(right, 190);
}

}  // namespace
}  // namespace nephron::host
