// Drawings: what is saved, what is refused.
#include <host/view/annotation_file.hpp>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include <host/util/files.hpp>
#include <tests/support/scratch_folder.hpp>

namespace nephron::host {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

const std::string triangle = R"({"version": "", "objects": [{"class": "G", "parts": [[[1, 2, 30, 2, 1, 40]]]}]})";

/// What the page sends back of what it was sent.
Drawing as_sent(const Drawing& drawing) {
  auto json = Json::parse(drawing_json(drawing, 0.5));
  for (auto& object : json["objects"]) object.erase("parts");
  return parse_drawing(json.dump(), 2);
}

class Drawings : public testing::Test {
 protected:
  void put(const std::string& id, const std::string& text) const {
    fs::create_directories(folder_);
    std::ofstream(folder_ / (id + ".json")) << text;
  }
  Json file(const std::string& id) const { return Json::parse(read_file(folder_ / (id + ".json"))); }

  ScratchFolder scratch_{"drawings"};
  fs::path folder_ = scratch_.path() / "annotations";
};

TEST_F(Drawings, AreSavedAsGeoJsonThatDatasetsRead) {
  AnnotationFolder drawings(folder_, {});
  EXPECT_EQ(drawings.read("slide").version, "");
  EXPECT_FALSE(fs::exists(folder_));
  const Drawing drawn = parse_drawing(triangle, 2);
  const std::string version = drawings.write("slide", drawn, {"G"}).version;
  const auto read = read_geojson(folder_ / "slide.json");
  ASSERT_EQ(read.objects.size(), 1U);
  EXPECT_EQ(read.objects[0].class_name, "G");
  EXPECT_EQ(read.objects[0].parts[0][0][1].x, 60);  // level-0 pixels
  EXPECT_EQ(drawings.read("slide").version, version);
  const auto sent = Json::parse(drawing_json(drawings.read("slide"), 0.5));
  EXPECT_EQ(sent["version"], version);
  EXPECT_EQ(sent["objects"][0]["parts"][0][0][2], 30);
}

TEST_F(Drawings, OfTwoPeopleTheSecondIsTold) {
  AnnotationFolder drawings(folder_, {});
  const Drawing drawn = parse_drawing(triangle, 1);
  const std::string first = drawings.write("s", drawn, {}).version;
  EXPECT_THROW(drawings.write("s", {}, {}), AnnotationFolder::Conflict);
  EXPECT_EQ(drawings.read("s").objects.size(), 1U);
  drawings.write("s", {first, {}}, {});
  EXPECT_TRUE(drawings.read("s").objects.empty());
}

/// Two viewers of one folder share no mutex, as two processes do.
TEST_F(Drawings, WhatTwoViewersWereToldIsSavedIsThere) {
  std::atomic<int> saved = 0;
  const auto draw = [&] {
    AnnotationFolder drawings(folder_, {});
    for (int i = 0; i < 60; ++i) {
      Drawing drawing = as_sent(drawings.read("s"));
      drawing.objects.push_back(parse_drawing(triangle, 1).objects[0]);
      try {
        drawings.write("s", drawing, {});
        ++saved;
      } catch (const AnnotationFolder::Conflict&) {  // the other was first
      }
    }
  };
  std::thread one(draw), other(draw);
  one.join(), other.join();
  EXPECT_EQ(AnnotationFolder(folder_, {}).read("s").objects.size(), static_cast<std::size_t>(saved));
  EXPECT_GE(saved, 60) << "one of two who write is first";
}

TEST_F(Drawings, InputsAreNeverReplaced) {
  put("a", R"({"type": "FeatureCollection", "features": []})");
  AnnotationFolder drawings(folder_, {folder_ / "a.json"});
  Drawing drawn = parse_drawing(triangle, 1);
  fs::create_symlink(scratch_.path() / "elsewhere", folder_ / "c.json");
  EXPECT_THROW(drawings.write("c", drawn, {}), Error);
  EXPECT_FALSE(fs::exists(scratch_.path() / "elsewhere"));
  drawn.version = drawings.read("a").version;
  EXPECT_THROW(drawings.write("a", drawn, {}), Error);
}

/// As QuPath and other programs write them: one has all that it may have, one no class, one lies between them and is no
/// area.
const std::string foreign = R"({"type": "FeatureCollection", "crs": {"name": "px"}, "features": [
  {"type": "Feature", "id": "6f1c", "extra": [1, null], "geometry": {"type": "Polygon", "plane": {"z": 3},
   "coordinates": [[[0.125, 1.0001, 7], [10, 2], [10, 9], [0.125, 1.0001, 7]]]},
   "properties": {"name": "first", "isLocked": true, "classification": {"names": ["G", "old"], "colorRGB": -7},
                  "measurements": [{"name": "Area", "value": 12.5}, {"name": "note", "value": null}]}},
  {"type": "Feature", "geometry": {"type": "Point", "coordinates": [1, 2]}, "properties": {"name": "here"}},
  {"type": "Feature", "id": 7, "geometry": {"type": "MultiPolygon", "coordinates":
   [[[[1, 1], [2, 1], [2, 2], [1, 1]]], [[[5, 5], [6, 5], [6, 6], [5, 5]]]]}},
  {"type": "Feature", "id": "last", "geometry": null, "properties": {}}]})";

TEST_F(Drawings, KeepAllThatAFileHolds) {
  put("q", foreign);
  AnnotationFolder drawings(folder_, {});
  Drawing drawing = as_sent(drawings.read("q"));
  ASSERT_EQ(drawing.objects.size(), 2U);
  EXPECT_EQ(drawing.objects[0].class_name, "G: old");
  EXPECT_EQ(drawing.objects[1].class_name, "") << "no class is made up";
  drawing.version = drawings.write("q", drawing, {}).version;
  EXPECT_EQ(file("q"), Json::parse(foreign));
  // Something is added, and the file is what it was but for that.
  drawing.objects.push_back(parse_drawing(triangle, 1).objects[0]);
  const auto saved = drawings.write("q", drawing, {"G"});
  Json grown = file("q");
  ASSERT_EQ(grown["features"].size(), 5U);
  EXPECT_EQ(grown["features"][3]["properties"]["classification"]["name"], "G");
  grown["features"].erase(3);
  EXPECT_EQ(grown, Json::parse(foreign));
  // What was added is of the file now, with the id that it got.
  const Json added = file("q")["features"][3];
  drawing = as_sent(drawings.read("q"));
  EXPECT_EQ(drawing.objects[2].feature, saved.features[2]);
  drawing.objects.erase(drawing.objects.begin());
  drawings.write("q", drawing, {"G"});
  EXPECT_EQ(file("q")["features"][2], added);
}

TEST_F(Drawings, AnotherClassChangesNothingElse) {
  put("q", foreign);
  AnnotationFolder drawings(folder_, {});
  Drawing drawing = as_sent(drawings.read("q"));
  for (DrawnObject& object : drawing.objects) object.class_name = "sick";
  const auto saved = drawings.write("q", drawing, {"healthy", "sick"});
  Json now = file("q"), before = Json::parse(foreign);
  for (const int i : {0, 2}) {
    EXPECT_EQ(now["features"][i]["properties"]["classification"]["name"], "sick");
    now["features"][i]["properties"].erase("classification");
  }
  before["features"][0]["properties"].erase("classification");
  before["features"][2]["properties"] = Json::object();
  EXPECT_EQ(now, before);
  // Undone: the page has the names of what was there.
  drawing = as_sent(drawings.read("q"));
  EXPECT_EQ(drawing.objects[0].feature, saved.features[0]);
}

TEST_F(Drawings, WhatWasRemovedComesBackAsItWas) {
  put("q", foreign);
  AnnotationFolder drawings(folder_, {});
  const Drawing all = as_sent(drawings.read("q"));
  const std::string emptied = drawings.write("q", {all.version, {}}, {}).version;
  EXPECT_EQ(file("q")["features"].size(), 2U) << "what is no area stays";
  drawings.write("q", {emptied, all.objects}, {});
  Json now = file("q"), before = Json::parse(foreign);
  std::sort(now["features"].begin(), now["features"].end());
  std::sort(before["features"].begin(), before["features"].end());
  EXPECT_EQ(now, before);
  // Of a file that somebody else has put there it does not.
  AnnotationFolder others(folder_, {});
  Drawing unknown = all;
  put("q", "[]");
  unknown.version = others.read("q").version;
  EXPECT_THROW(others.write("q", unknown, {}), AnnotationFolder::Conflict);
  EXPECT_EQ(file("q"), Json::array());
}

TEST_F(Drawings, KeepTheFormOfAFile) {
  AnnotationFolder drawings(folder_, {});
  put("list", Json::parse(foreign)["features"].dump());
  put("one", Json::parse(foreign)["features"][0].dump());
  for (const char* id : {"list", "one"}) drawings.write(id, as_sent(drawings.read(id)), {});
  EXPECT_EQ(file("list"), Json::parse(foreign)["features"]);
  EXPECT_EQ(file("one")["type"], "FeatureCollection");
  EXPECT_EQ(file("one")["features"], Json::array({Json::parse(foreign)["features"][0]}));
}

TEST_F(Drawings, DamagedFilesAreErrorsAndStay) {
  AnnotationFolder drawings(folder_, {});
  const Drawing drawn = parse_drawing(triangle, 1);
  for (const std::string& text : {std::string(), foreign.substr(0, foreign.size() / 2), std::string(100000, '['),
                                  std::string("{\"type\": \"Topology\"}"), std::string("[3]")}) {
    put("d", text);
    EXPECT_THROW(drawings.read("d"), Error) << text.substr(0, 40);
    EXPECT_THROW(drawings.write("d", drawn, {}), Error) << text.substr(0, 40);
    EXPECT_EQ(read_file(folder_ / "d.json"), text);
  }
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
                           R"({"version": "", "objects": [{"class": "a", "parts": [[[1, 2, 1e300, 4, 5, 6]]]}]})",
                           R"({"version": "", "objects": [{"feature": "0a1b"}]})",
                           R"({"version": "", "objects": [{"class": "a", "feature": 3}]})",
                           R"({"version": "", "objects": [{"class": "a", "feature": ""}]})"})
    EXPECT_THROW(parse_drawing(text, 1), Error) << text;
  EXPECT_THROW(parse_drawing(std::string(100000, '['), 1), Error);
}

}  // namespace
}  // namespace nephron::host
