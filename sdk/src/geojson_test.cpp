#include <nephron/geojson.hpp>

#include <cstdlib>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nephron/error.hpp>

#include <tests/support/damaged.hpp>
#include <tests/support/error_of.hpp>

namespace nephron {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

const std::string list = R"([
  {"type": "Feature", "id": "PathAnnotationObject",
   "geometry": {"type": "Polygon", "coordinates": [[[1, 2.5], [10, 2], [10, -4], [1, 2.5]], [[3, 2], [4, 2], [4, 1]]]},
   "properties": {"classification": {"name": "G", "colorRGB": -4596839}, "measurements": []}},
  {"type": "Feature", "id": 7,
   "geometry": {"type": "MultiPolygon", "coordinates": [[[[1, 1], [2, 1], [2, 2]]], [[[5, 5], [6, 5], [6, 6]]], [[]]]},
   "properties": {"classification": {"names": ["FC", "old"]}, "measurements": {"Area": 12.5, "note": "x"}}},
  {"type": "Feature", "geometry": {"type": "LineString", "coordinates": [[1, 1], [2, 2]]}, "properties": {}},
  {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": []}, "properties": null},
  {"type": "Feature", "geometry": null},
  {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1]]]}}
])";

TEST(GeoJson, ReadsFeatures) {
  const AnnotatedObjects found = parse_geojson(list, "a.json");
  ASSERT_EQ(found.objects.size(), 3U);
  const AnnotatedObject& one = found.objects[0];
  EXPECT_EQ(one.class_name, "G");
  EXPECT_EQ(one.id, "PathAnnotationObject");
  ASSERT_EQ(one.parts.size(), 1U);
  ASSERT_EQ(one.parts[0].size(), 2U);  // outline and hole
  EXPECT_EQ(one.parts[0][0][0].y, 2.5);
  EXPECT_EQ(one.parts[0][0][2].y, -4);
  const AnnotatedObject& two = found.objects[1];
  EXPECT_EQ(two.parts.size(), 2U);
  EXPECT_EQ(two.id, "7");
  EXPECT_EQ(two.class_name, "FC: old");
  ASSERT_EQ(two.measurements.size(), 1U);
  EXPECT_EQ(two.measurements[0].second, 12.5);
  EXPECT_EQ(found.objects[2].class_name, "");
  ASSERT_EQ(found.skipped.size(), 3U);
  EXPECT_EQ(found.skipped[0].number, 3U);
  EXPECT_EQ(found.skipped[0].why, "a LineString is no area");
  EXPECT_EQ(found.skipped[1].why, "the Polygon has no vertices");
  EXPECT_EQ(found.skipped[2].why, "it has no geometry");
}

TEST(GeoJson, ReadsCollectionsAndSingleFeatures) {
  EXPECT_EQ(parse_geojson(R"({"type": "FeatureCollection", "features": )" + list + "}", "a").objects.size(), 3U);
  EXPECT_EQ(parse_geojson(R"({"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [[[0, 0]]]}})", "a")
                .objects.size(),
            1U);
  EXPECT_TRUE(parse_geojson("[]", "a").objects.empty());
}

TEST(GeoJson, JoinsRingsAsTheReferenceDoes) {
  const AnnotatedObjects found = parse_geojson(list, "a");
  const Polygon joined = joined_rings(found.objects[0].parts);
  ASSERT_EQ(joined.size(), 1U);
  EXPECT_EQ(joined[0].size(), 7U);
  EXPECT_TRUE(joined_rings({}).empty());
}

TEST(GeoJson, SaysWhatIsWrongAndWhere) {
  const auto fault = [](const std::string& text) { return error_of([&] { parse_geojson(text, "a.json"); }); };
  const auto feature = [&](const std::string& geometry) {
    return fault(R"([{"type": "Feature", "geometry": )" + geometry + "}]");
  };
  EXPECT_THAT(fault(""), HasSubstr("a.json: this is no JSON: parse error at line 1, column 1"));
  EXPECT_THAT(fault("[{\"type\": \"Fea"), HasSubstr("a.json: this is no JSON"));
  EXPECT_THAT(fault("{\"images\": []}"), HasSubstr("a.json: expected a list of Features or a FeatureCollection"));
  EXPECT_THAT(fault("{\"type\": \"FeatureCollection\"}"), HasSubstr("a.json: expected a list of Features"));
  EXPECT_THAT(fault("3"), HasSubstr("found JSON of type number"));
  EXPECT_THAT(fault("[{}, 3]"), HasSubstr("a.json: feature 1: expected an object with \"type\": \"Feature\""));
  EXPECT_THAT(feature(R"({"type": "Polygon"})"), HasSubstr("feature 1: the Polygon has no coordinates"));
  EXPECT_THAT(feature(R"({"type": "Polygon", "coordinates": 3})"), HasSubstr("expected a list of rings"));
  EXPECT_THAT(feature(R"({"type": "Polygon", "coordinates": [[[1, 2], [3]]]})"),
              HasSubstr("vertex 2 of a ring is not [x, y]"));
  EXPECT_THAT(feature(R"({"type": "Polygon", "coordinates": [[[1, 2e999]]]})"), HasSubstr("a.json: this is no JSON"));
  EXPECT_THAT(fault(std::string(100000, '[')), HasSubstr("nested more than 64 deep"));
  EXPECT_THAT(error_of([] { read_geojson("/nowhere/a.json"); }), HasSubstr("cannot read /nowhere/a.json"));
}

TEST(GeoJson, DamagedTextIsReadOrRefused) {
  const Outcomes found = read_damaged(6000, {list}, json_damage(), testing::StartsWith("a.json: "),
                                      [](const std::string& text) { parse_geojson(text, "a.json"); });
  EXPECT_GT(found.refused, 3000);
  EXPECT_GT(found.read, 10);
}

TEST(GeoJson, ReadsTheHandAnnotationsOfTheReference) {
  const char* named = std::getenv("NEPHRON_SHARED");
  const fs::path folder =
      (named != nullptr ? fs::path(named) : fs::path(NEPHRON_SOURCE_DIR) / "../shared") / "data/hubmap-annotations";
  if (!fs::is_directory(folder)) GTEST_SKIP() << "no " << folder << ": set NEPHRON_SHARED";
  std::map<std::string, int> classes;
  int files = 0, multi = 0, holes = 0;
  std::map<std::string, std::string> skipped;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() != ".json") continue;
    ++files;
    const AnnotatedObjects found = read_geojson(entry.path());
    for (const AnnotatedObject& object : found.objects) {
      ++classes[object.class_name];
      multi += object.parts.size() > 1;
      for (const Polygon& part : object.parts) holes += part.size() > 1;
    }
    for (const SkippedFeature& one : found.skipped) {
      ++classes[one.class_name];
      skipped[entry.path().stem()] = one.why;
    }
  }
  EXPECT_EQ(files, 57);
  EXPECT_EQ(skipped.size(), 1U);
  EXPECT_EQ(skipped["afa5e8098"], "a LineString is no area");
  EXPECT_EQ(classes["G"], 758);
  EXPECT_EQ(classes["FC"], 369);
  EXPECT_EQ(classes[""], 2);
  EXPECT_EQ(multi, 120);
  EXPECT_EQ(holes, 2);
}

}  // namespace
}  // namespace nephron
