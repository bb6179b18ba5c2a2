// What lies over a slide comes from files of anybody: damaged copies of each kind are shown, or refused with their
// name.
#include <host/view/label_layers.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <host/util/files.hpp>
#include <host/view/object_set.hpp>
#include <tests/support/damaged.hpp>
#include <tests/support/scratch_folder.hpp>

namespace nephron::host {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr Size size{300, 200};
constexpr int copies = 400;

/// That it names the file, or whose labels do not fit the slide, which the page says of the layer by its name.
auto says(const std::string& file) {
  return testing::AnyOf(HasSubstr(file), HasSubstr("the labels are of a picture of "));
}

const Stop never = [] { return false; };

/// As a browser is given them.
void show(const ViewLayer& layer) {
  if (!layer.knows("s")) return;
  const ObjectSet objects = object_set(layer.labels("s", size, never), size, never);
  EXPECT_FALSE(json_of(objects).empty());
}

class DamagedLayers : public testing::Test {
 protected:
  fs::path put(const fs::path& name, const std::string& text) const {
    fs::create_directories((scratch_.path() / name).parent_path());
    write_file_atomically(scratch_.path() / name, text);
    return scratch_.path() / name;
  }
  ScratchFolder scratch_{"layers"};
};

/// Run lengths: what is too long, negative, doubled, not a number.
const Damage runs_damage{
    "0123456789 -,\n\"x\t\xff",
    {"-1", "0", "99999999999999999999", "9223372036854775807", "1 1 1 1 1 1", "\n", "s,", "\"", "1e9", " "},
    4};

TEST_F(DamagedLayers, Submissions) {
  const std::vector<std::string> sound{"id,predicted\ns,201 30 401 30 601 30\nt,1 5\n",
                                       "id,encoding\n\"s\",\"1 60000\"\nt,\n"};
  const Outcomes all = read_damaged(copies, sound, runs_damage, says("damaged.csv"), [&](const std::string& text) {
    const fs::path file = put("damaged.csv", text);
    show(SubmissionLayer("damaged", ViewLayer::Kind::submission, file));
  });
  EXPECT_GT(all.read, 20);
  EXPECT_GT(all.refused, 20);
}

TEST_F(DamagedLayers, RunsOfAPrediction) {
  const PredictionLayer layer("out", scratch_.path() / "out", {"a"});
  const Outcomes all = read_damaged(copies, {"201 30 401 30 601 30\n", "\n"}, runs_damage, says("s.txt"),
                                    [&](const std::string& text) { put("out/rle/a/s.txt", text), show(layer); });
  EXPECT_GT(all.read, 20);
  EXPECT_GT(all.refused, 20);
}

TEST_F(DamagedLayers, ObjectsOfAPrediction) {
  const PredictionLayer layer("out", scratch_.path() / "out", {"a"});
  const std::string sound =
      R"({"type":"FeatureCollection","features":[{"type":"Feature","geometry":{"type":"Polygon","coordinates":
          [[[20,10],[120,10],[120,90],[20,90],[20,10]],[[40,30],[60,30],[60,50],[40,30]]]},"properties":
          {"classification":{"name":"a"},"measurements":{"confidence":0.75}}},{"type":"Feature","geometry":
          {"type":"MultiPolygon","coordinates":[[[[0,0],[9,0],[9,9],[0,0]]]]},"properties":{}}]})";
  const Outcomes all = read_damaged(copies, {sound}, json_damage(), says("s.geojson"),
                                    [&](const std::string& text) { put("out/geojson/s.geojson", text), show(layer); });
  EXPECT_GT(all.read, 20);
  EXPECT_GT(all.refused, 20);
}

TEST_F(DamagedLayers, AnnotationsInCoco) {
  const fs::path file = scratch_.path() / "s.json";
  const FileLayer layer("truth", {{"s", file}});
  const std::string sound =
      R"({"categories":[{"id":1,"name":"a"}],"images":[{"id":1,"file_name":"s.png","width":300,"height":200}],
          "annotations":[{"id":1,"image_id":1,"category_id":1,"segmentation":[[20,10,120,10,120,90,20,90]],"score":0.5,
          "bbox":[20,10,100,80],"area":8000,"iscrowd":0},{"id":2,"image_id":1,"category_id":1,"iscrowd":1,
          "segmentation":{"size":[200,300],"counts":[100,50,59850]}}]})";
  const Outcomes all = read_damaged(copies, {sound}, json_damage(), says("s.json"),
                                    [&](const std::string& text) { put("s.json", text), show(layer); });
  EXPECT_GT(all.read, 20);
  EXPECT_GT(all.refused, 20);
}

// Coordinates beyond any slide, and a thousand times the same: bounded work.
TEST_F(DamagedLayers, HugeNumbersAndRepeatedBlocks) {
  const PredictionLayer layer("out", scratch_.path() / "out", {"a"});
  const auto feature = [](const std::string& far) {
    return R"({"type":"Feature","geometry":{"type":"Polygon","coordinates":[[[0,0],[)" + far + ",0],[" + far + "," +
           far + R"(],[0,0]]]},"properties":{"classification":{"name":"a"}}})";
  };
  for (const char* far :
       {"1e18", "-1e18", "1e308", "9223372036854775807", "-9223372036854775808", "2147483648", "1e400"}) {
    put("out/geojson/s.geojson", "[" + feature(far) + "]");
    try {
      show(layer);
    } catch (const Error& e) {
      EXPECT_THAT(e.what(), HasSubstr("s.geojson")) << far;
    }
  }
  std::string many = feature("100");
  for (int i = 0; i < 1000; ++i) many += "," + feature("100");
  put("out/geojson/s.geojson", "[" + many + "]");
  show(layer);
  put("out/geojson/s.geojson", std::string(200'000, '['));
  EXPECT_THAT([&] { show(layer); }, testing::ThrowsMessage<Error>(HasSubstr("s.geojson")));
}

}  // namespace
}  // namespace nephron::host
