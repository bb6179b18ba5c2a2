// Drawings: what is saved, what is refused.
#include <host/view/annotation_file.hpp>

#include <fstream>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include <host/util/files.hpp>
#include <tests/support/scratch_folder.hpp>

namespace nephron::host {
namespace {

namespace fs = std::filesystem;

const std::string triangle = R"({"version": "", "objects": [{"class": "G", "parts": [[[1, 2, 30, 2, 1, 40]]]}]})";

class Drawings : public testing::Test {
 protected:
  ScratchFolder scratch_{"drawings"};
  fs::path folder_ = scratch_.path() / "annotations";
};

TEST_F(Drawings, AreSavedAsGeoJsonThatDatasetsRead) {
  AnnotationFolder drawings(folder_, {});
  EXPECT_EQ(drawings.read("slide").version, "");
  EXPECT_FALSE(fs::exists(folder_));
  const Drawing drawn = parse_drawing(triangle, 2);
  const std::string version = drawings.write("slide", drawn.objects, {"G"}, drawn.version);
  const auto read = read_geojson(folder_ / "slide.json");
  ASSERT_EQ(read.objects.size(), 1U);
  EXPECT_EQ(read.objects[0].class_name, "G");
  EXPECT_EQ(read.objects[0].parts[0][0][1].x, 60);  // level-0 pixels
  EXPECT_EQ(drawings.read("slide").version, version);
  const auto sent = nlohmann::json::parse(drawing_json(drawings.read("slide"), 0.5));
  EXPECT_EQ(sent["version"], version);
  EXPECT_EQ(sent["objects"][0]["parts"][0][0][2], 30);
}

TEST_F(Drawings, OfTwoPeopleTheSecondIsTold) {
  AnnotationFolder drawings(folder_, {});
  const Drawing drawn = parse_drawing(triangle, 1);
  const std::string first = drawings.write("s", drawn.objects, {}, "");
  EXPECT_THROW(drawings.write("s", {}, {}, ""), AnnotationFolder::Conflict);
  EXPECT_EQ(drawings.read("s").objects.size(), 1U);
  drawings.write("s", {}, {}, first);
  EXPECT_TRUE(drawings.read("s").objects.empty());
}

TEST_F(Drawings, InputsAndWhatWouldBeLostAreNeverReplaced) {
  fs::create_directories(folder_);
  std::ofstream(folder_ / "a.json") << R"({"type": "FeatureCollection", "features": []})";
  std::ofstream(folder_ / "b.json")
      << R"([{"type": "Feature", "geometry": {"type": "Point", "coordinates": [1, 2]}, "properties": {}}])";
  AnnotationFolder drawings(folder_, {folder_ / "a.json"});
  const std::vector<AnnotatedObject> objects = parse_drawing(triangle, 1).objects;
  EXPECT_THROW(drawings.write("a", objects, {}, drawings.read("a").version), Error);
  EXPECT_THROW(drawings.read("b"), Error);
  EXPECT_THROW(drawings.write("b", objects, {}, ""), Error);
  fs::create_symlink(scratch_.path() / "elsewhere", folder_ / "c.json");
  EXPECT_THROW(drawings.write("c", objects, {}, ""), Error);
  EXPECT_FALSE(fs::exists(scratch_.path() / "elsewhere"));
}

TEST_F(Drawings, StayInTheirFolder) {
  const AnnotationFolder drawings(folder_, {});
  for (const char* id : {"../../etc/passwd", "..", ".", "", "a/b", "/etc/passwd"})
    EXPECT_EQ(drawings.file(id).parent_path(), folder_) << id;
  EXPECT_EQ(drawings.file("slide 1").filename(), "slide 1.json");
}

TEST(ParseDrawing, RefusesWhatIsNoDrawing) {
  for (const char* text : {"", "[]", "{", "null", R"({"version": "", "objects": 3})", R"({"objects": []})",
                           R"({"version": "", "objects": [3]})", R"({"version": "", "objects": [{"class": "a"}]})",
                           R"({"version": "", "objects": [{"class": "", "parts": [[[1, 2, 3, 4, 5, 6]]]}]})",
                           R"({"version": "", "objects": [{"class": "a", "parts": []}]})",
                           R"({"version": "", "objects": [{"class": "a", "parts": [[]]}]})",
                           R"({"version": "", "objects": [{"class": "a", "parts": [[[1, 2, 3, 4]]]}]})",
                           R"({"version": "", "objects": [{"class": "a", "parts": [[[1, 2, 3, 4, 5]]]}]})",
                           R"({"version": "", "objects": [{"class": "a", "parts": [[[1, 2, "x", 4, 5, 6]]]}]})",
                           R"({"version": "", "objects": [{"class": "a", "parts": [[[1, 2, 1e300, 4, 5, 6]]]}]})"})
    EXPECT_THROW(parse_drawing(text, 1), Error) << text;
  EXPECT_THROW(parse_drawing(std::string(100000, '['), 1), Error);
}

}  // namespace
}  // namespace nephron::host
