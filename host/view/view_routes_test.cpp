// What the page asks for, and what somebody else might.
#include <host/view/view_routes.hpp>

#include <fstream>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>
#include <opencv2/imgcodecs.hpp>

#include <nephron/error.hpp>

#include <host/pictures/png.hpp>
#include <host/view/label_layers.hpp>
#include <host/view/test_slide.hpp>
#include <tests/support/scratch_folder.hpp>

namespace nephron::host {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr const char* hostile_name = "<img src=x onerror=alert(1)>\"'&\xff";

class Routes : public testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(scratch_.path() / "out/probabilities/a");
    fs::create_directories(scratch_.path() / "out/masks/a");
    const Image map({1000, 600}, 1), mask({1000, 600}, 1);
    for (std::int64_t y = 100; y < 150; ++y)
      for (std::int64_t x = 200; x < 260; ++x)
        map.view().row<std::uint8_t>(y)[x] = 204, mask.view().row<std::uint8_t>(y)[x] = 255;
    write_png(scratch_.path() / "out/probabilities/a/s.png", map.view());
    write_png(scratch_.path() / "out/masks/a/s.png", mask.view());
    std::ofstream(scratch_.path() / "s.geojson")
        << R"([{"type": "Feature", "geometry": {"type": "Polygon", "coordinates":
            [[[200, 100], [259, 100], [259, 124], [200, 124], [200, 100]]]}, "properties": {"classification": {"name": "a"}}}])";

    Collected all;
    all.classes = {"a", hostile_name};
    const auto slide = std::make_shared<TestSlide>(Size{1000, 600}, std::vector<int>{1, 4});
    all.slides.push_back({"s", "somewhere/s.svs", {}, [slide] { return slide; }, 0, {}});
    all.slides.push_back({hostile_name, hostile_name, {}, [slide] { return slide; }, 0, {}});
    all.slides.push_back({"gone", "not there", {}, {}, 0, {}});
    all.slides.push_back(
        {"bad", "bad.svs", {}, []() -> std::shared_ptr<const SlideFile> { throw Error("is no slide"); }, 0, {}});
    all.slides.push_back({"half", "store", {}, [slide] { return slide; }, 1.0, {2000, 1200}});
    all.layers.push_back(
        std::make_shared<FileLayer>("truth", std::map<std::string, fs::path>{{"s", scratch_.path() / "s.geojson"}}));
    all.layers.push_back(
        std::make_shared<PredictionLayer>("run", scratch_.path() / "out", std::vector<std::string>{"a"}));
    routes_ = std::make_unique<ViewRoutes>(std::move(all), scratch_.path() / "drawn", 0, ViewRoutes::Limits{});
  }
  HttpReply get(const std::string& path) { return routes_->answer({"GET", path, ""}); }
  HttpReply put(const std::string& path, const std::string& body) { return routes_->answer({"PUT", path, body}); }
  static cv::Mat decoded(const HttpReply& reply) {
    return cv::imdecode(std::vector<std::uint8_t>(reply.body.begin(), reply.body.end()), cv::IMREAD_UNCHANGED);
  }

  ScratchFolder scratch_{"routes"};
  std::unique_ptr<ViewRoutes> routes_;
};

TEST_F(Routes, ThePageIsEmbedded) {
  const HttpReply page = get("");
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.type, "text/html; charset=utf-8");
  EXPECT_THAT(page.body, testing::HasSubstr("main.mjs"));
  EXPECT_NE(get("leaflet.js").body.find("t.GridLayer="), std::string::npos);
  EXPECT_EQ(get("main.mjs").type, "text/javascript; charset=utf-8");
}

TEST_F(Routes, ThePageLoadsNothingFromElsewhere) {
  for (const char* name : {"index.html", "style.css", "leaflet.css", "main.mjs", "api.mjs", "tiles.mjs", "pane.mjs"}) {
    const HttpReply file = get(name);
    EXPECT_EQ(file.status, 200) << name;
    for (const char* from : {"src=\"http", "href=\"http", "url(http", "import('http", "from 'http", "fetch('http"})
      EXPECT_THAT(file.body, testing::Not(testing::HasSubstr(from))) << name;
  }
}

TEST_F(Routes, NoPathOfAClientLeadsToAFile) {
  for (const char* path : {"../../etc/passwd",
                           "/etc/passwd",
                           "tiles/../../../etc/passwd",
                           "page/../main.mjs",
                           "index.html/..",
                           ".",
                           "..",
                           "slides/../0",
                           "slides/0/..",
                           "tiles/0/0/0/0/../..",
                           "drawing/../../x",
                           "objects/0/%2e%2e",
                           "session/",
                           "slides/",
                           "slides/-1",
                           "slides/99",
                           "slides/0x0",
                           "slides/ 0",
                           "slides/+0",
                           "slides/0 ",
                           "slides/18446744073709551616",
                           "tiles/0/0/0",
                           "tiles/0/0/0/0/0",
                           "tiles/0/99/0/0",
                           "tiles/0/-1/0/0",
                           "tiles/0/0/4/0",
                           "tiles/0/0/0/9223372036854775807",
                           "tiles/9/0/0/0",
                           "maps/0/1/1/0/0/0",
                           "maps/0/9/0/0/0/0",
                           "maps/0/0/0/0/0/0",
                           "objects/0/7",
                           "objects/1/0",
                           "objects/0/18446744073709551615",
                           "drawing/77"})
    EXPECT_EQ(get(path).status, 404) << path;
}

TEST_F(Routes, NamesAreTextInJson) {
  const HttpReply reply = get("session");
  EXPECT_EQ(reply.type, "application/json; charset=utf-8");
  const Json session = Json::parse(reply.body);
  EXPECT_THAT(session["slides"][1]["id"].get<std::string>(), testing::StartsWith("<img src=x onerror=alert(1)>\"'&"));
  EXPECT_EQ(session["layers"][0]["kind"], "truth");
  EXPECT_EQ(session["slides"][2]["picture"], false);
}

TEST_F(Routes, ASlideSaysWhatThereIs) {
  const Json slide = Json::parse(get("slides/0").body);
  EXPECT_EQ(slide["width"], 1000);
  EXPECT_EQ(slide["mpp"], 0.5);
  EXPECT_EQ(slide["deepest"], 2);
  EXPECT_EQ(slide["overview"], 1.0);
  EXPECT_EQ(slide["layers"][0], (Json{{"objects", true}, {"maps", Json::array()}}));
  EXPECT_EQ(slide["layers"][1], (Json{{"objects", true}, {"maps", {"a"}}}));
}

TEST_F(Routes, SlidesThatCannotBeReadAreErrorsWithAReason) {
  EXPECT_EQ(get("slides/2").status, 500);
  EXPECT_THAT(get("slides/2").body, testing::HasSubstr("not there"));
  EXPECT_THAT(get("tiles/3/0/0/0").body, testing::HasSubstr("is no slide"));
}

TEST_F(Routes, TilesArePictures) {
  const HttpReply tile = get("tiles/0/0/3/2");
  EXPECT_EQ(tile.type, "image/jpeg");
  EXPECT_EQ(decoded(tile).size(), cv::Size(232, 88));
  const HttpReply map = get("maps/0/1/0/0/0/0");
  EXPECT_EQ(map.type, "image/png");
  const cv::Mat grey = decoded(map);
  EXPECT_EQ(grey.type(), CV_8UC1);
  EXPECT_EQ(grey.at<std::uint8_t>(120, 230), 204);
  EXPECT_EQ(grey.at<std::uint8_t>(20, 230), 0);
}

TEST_F(Routes, ObjectsHaveConfidenceAndOverlap) {
  const Json found = Json::parse(get("objects/0/1").body);
  ASSERT_EQ(found["objects"].size(), 1U);
  const Json& object = found["objects"][0];
  EXPECT_NEAR(object[1].get<double>(), 0.8, 1e-9);
  EXPECT_NEAR(object[2].get<double>(), 0.5, 1e-9);  // half of its 50 rows are true
  EXPECT_EQ(object[3], 3000);
}

TEST_F(Routes, ObjectsOfAPredictionAreItsGeoJsonElseItsMasksElseItsRuns) {
  const PredictionLayer layer("run", scratch_.path() / "out", {"a"});
  const Stop never = [] { return false; };
  const Size size{1000, 600};
  EXPECT_EQ(area_of(layer.labels("s", size, never).masks.at(0)), 3000);
  fs::create_directories(scratch_.path() / "out/geojson");
  fs::copy_file(scratch_.path() / "s.geojson", scratch_.path() / "out/geojson/s.geojson");
  EXPECT_TRUE(layer.labels("s", size, never).holds_objects);
  fs::create_directories(scratch_.path() / "out/rle/a");
  std::ofstream(scratch_.path() / "out/rle/a/t.txt") << "11 20 700 5\n";
  EXPECT_EQ(area_of(layer.labels("t", size, never).masks.at(0)), 25);
  std::ofstream(scratch_.path() / "out/rle/a/u.txt") << "11 20 5";
  EXPECT_THROW(layer.labels("u", size, never), Error);
  EXPECT_THROW(layer.labels("../a/t", size, never), Error);
  EXPECT_THAT(layer.ids(), testing::UnorderedElementsAre("s", "t", "u"));
}

TEST_F(Routes, NobodyWaits) {
  EXPECT_THROW(routes_->answer({"GET", "tiles/0/0/0/0", "", [] { return true; }}), Cancelled);
  EXPECT_THROW(routes_->answer({"GET", "objects/0/1", "", [] { return true; }}), Cancelled);
  EXPECT_EQ(get("tiles/0/0/0/0").status, 200);
}

TEST_F(Routes, DrawingsAreSavedInPixelsOfTheWholeSlide) {
  const std::string drawn = R"({"version": "", "objects": [{"class": "<b>", "parts": [[[10, 10, 50, 10, 10, 50]]]}]})";
  EXPECT_EQ(put("drawing/4", drawn).status, 200);
  const auto saved = read_geojson(scratch_.path() / "drawn/half.json");
  EXPECT_EQ(saved.objects.at(0).parts[0][0][1].x, 100);
  EXPECT_EQ(saved.objects[0].class_name, "<b>");
  const Json again = Json::parse(get("drawing/4").body);
  EXPECT_EQ(again["objects"][0]["parts"][0][0][2], 50);
  EXPECT_EQ(put("drawing/4", drawn).status, 409);
  EXPECT_EQ(put("drawing/0", "rubbish").status, 400);
  EXPECT_EQ(put("drawing/9", drawn).status, 404);
  EXPECT_EQ(put("session", drawn).status, 404);
  EXPECT_EQ(put("../../etc/passwd", drawn).status, 404);
}

TEST_F(Routes, ANameThatIsAPathIsDrawnInItsFolder) {
  Collected all;
  const auto slide = std::make_shared<TestSlide>(Size{100, 100}, std::vector<int>{1});
  all.slides.push_back({"../../escaped", "x", {}, [slide] { return slide; }, 0, {}});
  ViewRoutes routes(std::move(all), scratch_.path() / "drawn", 0, {});
  ASSERT_EQ(routes.answer({"PUT", "drawing/0", R"({"version": "", "objects": []})"}).status, 200);
  fs::remove(scratch_.path() / "drawn/.lock");
  EXPECT_EQ(std::distance(fs::directory_iterator(scratch_.path() / "drawn"), {}), 1);
}

}  // namespace
}  // namespace nephron::host
