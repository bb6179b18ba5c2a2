// Every format to every other and back; masks come back pixel by pixel, however they travelled.
#include <host/labels/label_file.hpp>

#include <unistd.h>

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include <nephron/error.hpp>
#include <nephron/image_cv.hpp>
#include <nephron/rng.hpp>

#include <host/labels/coco.hpp>
#include <host/labels/geojson_text.hpp>
#include <host/labels/trace.hpp>
#include <host/util/files.hpp>
#include <host/util/interrupt.hpp>
#include <tests/support/error_of.hpp>
#include <tests/support/scratch_folder.hpp>

namespace nephron::host {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

class LabelFile : public testing::Test {
 protected:
  fs::path text_file(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name, std::ios::binary) << text;
    return folder_ / name;
  }
  const ScratchFolder scratch_{"labels"};
  const fs::path& folder_ = scratch_.path();
};

struct Format {
  LabelFormat format;
  const char* name;
};
constexpr Format all_formats[] = {{LabelFormat::rle, "a.csv"},
                                  {LabelFormat::geojson, "a.geojson"},
                                  {LabelFormat::png, "a.png"},
                                  {LabelFormat::tiff, "a.tif"},
                                  {LabelFormat::coco, "a.json"}};

/// Ellipses with holes, one-pixel noise, and what touches the border.
cv::Mat random_mask(Rng& rng, Size size) {
  cv::Mat mask = cv::Mat::zeros(int(size.height), int(size.width), CV_8U);
  const auto at = [&](std::int64_t side) { return int(rng.integer(-5, side + 5)); };
  for (int i = 0; i < 8; ++i)
    cv::ellipse(mask, {at(size.width), at(size.height)}, {int(rng.integer(0, 40)), int(rng.integer(0, 40))},
                rng.uniform(0, 180), 0, 360, cv::Scalar(i % 3 == 2 ? 0 : 1), i % 2 == 0 ? -1 : 3);
  for (std::int64_t i = rng.integer(0, 200); i > 0; --i)
    mask.at<std::uint8_t>(int(rng.integer(0, size.height - 1)), int(rng.integer(0, size.width - 1))) ^= 1;
  return mask;
}

Runs runs_of(const cv::Mat& mask) {
  return encode_rle({mask.data, mask.cols, mask.rows, 1, Depth::u8, std::ptrdiff_t(mask.step[0])});
}

LabelSet random_set(Rng& rng, std::vector<std::string> classes) {
  LabelSet out;
  out.size = {rng.integer(20, 150), rng.integer(20, 150)};
  for (std::size_t c = 0; c < classes.size(); ++c) out.masks.push_back(runs_of(random_mask(rng, out.size)));
  out.classes = std::move(classes);
  return out;
}

LabelReading reading_of(const LabelSet& set) { return {set.size, set.classes, "", "", "auto"}; }

TEST_F(LabelFile, MasksComeBackThroughEveryPairOfFormats) {
  Rng rng(1, "pairs");
  for (int round = 0; round < 4; ++round) {
    const LabelSet set =
        random_set(rng, round % 2 == 0 ? std::vector<std::string>{"G", "FC"} : std::vector<std::string>{"a, \"b\""});
    for (const Format& first : all_formats)
      for (const Format& second : all_formats) {
        const fs::path one = folder_ / (std::string("1") + first.name),
                       two = folder_ / (std::string("2") + second.name);
        write_labels(set, one, {first.format, "slide", false});
        const LabelSet between = read_labels(one, reading_of(set));
        write_labels(between, two, {second.format, "slide", false});
        const LabelSet back = read_labels(two, reading_of(set));
        ASSERT_EQ(masks_of(back), set.masks) << first.name << " to " << second.name << " in round " << round;
      }
  }
}

TEST_F(LabelFile, ObjectsStayObjectsWhereBothFormatsHaveThem) {
  LabelSet set;
  set.size = {100, 80};
  set.classes = {"G", "FC"};
  set.holds_objects = true;
  set.objects = {
      {{{{{1.5, 2}, {30, 2.25}, {30, 40}}}}, "G", "", {}},
      {{{{{40, 10}, {60, 10}, {60, 30}, {40, 30}}, {{45, 15}, {50, 15}, {50, 20}}}}, "FC", "", {{"Area px", 12}}},
      {{{{{70, 50}, {75, 50}, {75, 60}}}, {{{80, 50}, {85, 50}, {85, 60}}}}, "FC", "", {}}};
  for (const Format& format : {all_formats[1], all_formats[4]}) {
    const fs::path file = folder_ / format.name;
    write_labels(set, file, {format.format, "slide", false});
    const LabelSet back = read_labels(file, {set.size, {}, "", "", "auto"});
    EXPECT_TRUE(back.holds_objects);
    EXPECT_THAT(back.classes, ElementsAre("G", "FC"));
    ASSERT_EQ(back.objects.size(), 3U);
    EXPECT_EQ(back.objects[0].parts[0][0][0].x, 1.5);
    EXPECT_EQ(back.objects[2].parts.size(), 2U);
    EXPECT_EQ(masks_of(back), masks_of(set));
  }
}

TEST_F(LabelFile, TracedObjectsAreTheComponentsOfTheMask) {
  Rng rng(2, "trace");
  for (int i = 0; i < 300; ++i) {
    const Size size{rng.integer(1, 120), rng.integer(1, 120)};
    const cv::Mat mask = random_mask(rng, size);
    const std::vector<AnnotatedObject> objects = trace_objects(runs_of(mask), size);
    cv::Mat components;
    ASSERT_EQ(int(objects.size()), cv::connectedComponents(mask, components, 8, CV_32S) - 1);
    Runs all;
    for (const AnnotatedObject& object : objects) {
      const Runs one = runs_of_object(object, size);
      const int label = components.at<int>(int(one.front().start % size.height), int(one.front().start / size.height));
      cv::Mat expected = components == label;
      ASSERT_EQ(one, runs_of(expected)) << "mask " << i;
      const Region box = box_of(one, size);
      std::vector<cv::Point> pixels;
      cv::findNonZero(expected, pixels);
      const cv::Rect seen = cv::boundingRect(pixels);
      EXPECT_EQ(box, (Region{seen.x, seen.y, seen.width, seen.height}));
      all = union_of(all, one);
    }
    EXPECT_EQ(all, runs_of(mask));
  }
}

TEST_F(LabelFile, PicturesOpenElsewhereAndOthersAreRead) {
  Rng rng(3, "pictures");
  const LabelSet set = random_set(rng, {"G", "FC"});
  cv::Mat expected = cv::Mat::zeros(int(set.size.height), int(set.size.width), CV_8U);
  for (int c = 0; c < 2; ++c) {
    cv::Mat one = expected.clone();
    decode_rle(set.masks[std::size_t(c)], {one.data, one.cols, one.rows, 1, Depth::u8, one.cols}, std::uint8_t(1 << c));
    expected |= one;
  }
  for (const Format& format : {all_formats[2], all_formats[3]}) {
    write_labels(set, folder_ / format.name, {format.format, "", false});
    EXPECT_EQ(cv::norm(cv::imread((folder_ / format.name).string(), cv::IMREAD_UNCHANGED), expected, cv::NORM_INF), 0);
  }
  // Red on black, as the AIDPATH masks are; class numbers; and strips in place of tiles.
  cv::Mat red, planes[3] = {cv::Mat::zeros(expected.size(), CV_8U), cv::Mat::zeros(expected.size(), CV_8U),
                            (expected & 1) * 255};
  cv::merge(planes, 3, red);
  for (const char* name : {"red.png", "red.tif"}) {
    cv::imwrite((folder_ / name).string(), red);
    EXPECT_EQ(read_labels(folder_ / name, {}).masks[0], set.masks[0]) << name;
  }
  cv::imwrite((folder_ / "index.png").string(), expected);
  LabelReading reading{{}, {"a", "b", "c"}, "", "", "index"};
  EXPECT_EQ(area_of(read_labels(folder_ / "index.png", reading).masks[2]), cv::countNonZero(expected == 3));
}

TEST_F(LabelFile, WritesWhatQuPathReads) {
  LabelSet set;
  set.size = {50, 50};
  set.classes = {"G"};
  set.holds_objects = true;
  set.objects = {{{{{{1, 1}, {9, 1}, {9, 9}}}}, "G", "PathAnnotationObject", {{"Area px", 36.5}}},
                 {{{{{1, 1}, {9, 1}, {9, 9}}}}, "", "0c3d5a52-6a8c-4a5b-9f58-2f6f0f2f6a11", {}}};
  const auto json = nlohmann::json::parse(geojson_text(set.objects, set.classes));
  EXPECT_EQ(json["type"], "FeatureCollection");
  const auto& one = json["features"][0];
  EXPECT_EQ(one["type"], "Feature");
  EXPECT_EQ(one["properties"]["objectType"], "annotation");
  EXPECT_EQ(one["properties"]["classification"]["name"], "G");
  EXPECT_EQ(one["properties"]["classification"]["color"].size(), 3U);
  EXPECT_EQ(one["properties"]["measurements"]["Area px"], 36.5);
  EXPECT_EQ(one["geometry"]["coordinates"][0].size(), 4U);  // closed
  EXPECT_THAT(one["id"].get<std::string>(),
              testing::MatchesRegex("[0-9a-f]+-[0-9a-f]+-8[0-9a-f]+-[89ab][0-9a-f]+-[0-9a-f]+"));
  EXPECT_EQ(json["features"][1]["id"], "0c3d5a52-6a8c-4a5b-9f58-2f6f0f2f6a11");
  EXPECT_FALSE(json["features"][1]["properties"].contains("classification"));
}

TEST_F(LabelFile, SaysWhatIsWrong) {
  const auto fault = [](const fs::path& file, const LabelReading& reading) {
    return error_of([&] { read_labels(file, reading); });
  };
  const fs::path csv = text_file("t.csv", "id,encoding\na,1 3\nb,1 99\n");
  EXPECT_THAT(fault(csv, {}), HasSubstr("does not say how large the slide is"));
  EXPECT_THAT(fault(csv, {{5, 5}, {}, "", "", "auto"}), HasSubstr("rows of several slides: \"a\", \"b\""));
  EXPECT_THAT(fault(csv, {{5, 5}, {}, "", "c", "auto"}), HasSubstr("has no row \"c\"; it has \"a\", \"b\""));
  EXPECT_THAT(fault(csv, {{5, 5}, {}, "", "b", "auto"}),
              HasSubstr("t.csv:3: run 1 of the run lengths (1 + 99) leaves"));
  const fs::path doubled = text_file("d.csv", "id,predicted\na,1 3\nb,\na,5 1\n");
  EXPECT_THAT(fault(doubled, {{5, 5}, {}, "", "a", "auto"}),
              HasSubstr("d.csv:4: slide \"a\" has a row already, " + doubled.string() + ":2"));
  EXPECT_THAT(fault(doubled, {{5, 5}, {}, "", "x", "auto"}), HasSubstr("has no row \"x\"; it has \"a\", \"b\""));
  EXPECT_THAT(fault(text_file("u.csv", "id,mask\n"), {{5, 5}, {}, "", "", "auto"}),
              HasSubstr("no column \"encoding\""));
  const std::string feature =
      R"({"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [[[1, 1], [2, 2]]]})";
  const fs::path json =
      text_file("u.json", "[" + feature + R"(, "properties": {"classification": {"name": "X"}}}, )" + feature + "}]");
  EXPECT_THAT(fault(json, {{5, 5}, {"G", "FC"}, "", "", "auto"}), HasSubstr("class \"X\" is none of \"G\", \"FC\""));
  EXPECT_THAT(read_labels(json, {{5, 5}, {}, "", "", "auto"}).notes,
              ElementsAre(HasSubstr("1 objects without a class")));
  EXPECT_THAT(read_labels(json, {{5, 5}, {}, "G", "", "auto"}).classes, ElementsAre("X", "G"));
  EXPECT_THAT(fault(text_file("u.txt", ""), {}), HasSubstr("no label file by its name"));
  EXPECT_THAT(fault(text_file("u.png", "no picture"), {}), HasSubstr("u.png is no PNG"));
  EXPECT_THAT(fault(text_file("u.tif", "no picture"), {}), HasSubstr("u.tif cannot be opened as a TIFF"));
  cv::imwrite((folder_ / "v.png").string(), cv::Mat(4, 5, CV_8U, cv::Scalar(9)));
  EXPECT_THAT(fault(folder_ / "v.png", {{}, {"a", "b"}, "", "", "auto"}),
              HasSubstr("holds 9 at (0, 0); 2 classes as bits end at 3"));
  EXPECT_THAT(fault(folder_ / "v.png", {{6, 4}, {}, "", "", "auto"}), HasSubstr("has 5 x 4 px, the slide 6 x 4"));
  std::string bytes = read_file(folder_ / "v.png");
  text_file("v.png", bytes.substr(0, bytes.size() / 2));
  EXPECT_THAT(fault(folder_ / "v.png", {}), HasSubstr("v.png"));
}

TEST_F(LabelFile, AnInterruptLeavesNoFile) {
  Rng rng(5, "interrupt");
  const LabelSet set = random_set(rng, {"G"});
  set_interrupted(true);
  EXPECT_THROW(write_labels(set, folder_ / "a.png", {LabelFormat::png, "", false}), Cancelled);
  set_interrupted(false);
  EXPECT_TRUE(fs::is_empty(folder_));
}

TEST_F(LabelFile, ManyClassesComeBackThroughWhatHasRoomForThem) {
  Rng rng(6, "many");
  for (const int n : {9, 12, 16, 17, 32}) {
    std::vector<std::string> names;
    for (int c = 0; c < n; ++c) names.push_back("class " + std::to_string(c));
    const LabelSet set = random_set(rng, names);
    for (const Format& format : all_formats) {
      SCOPED_TRACE(std::string(format.name) + " with " + std::to_string(n));
      const fs::path file = folder_ / format.name;
      if (format.format == LabelFormat::png && n > 16) {
        EXPECT_THAT(error_of([&] {
                      write_labels(set, file, {format.format, "a", false});
                    }),
                    HasSubstr("do not fit into the 16 bits of a PNG"));
        continue;
      }
      write_labels(set, file, {format.format, "a", false});
      const LabelSet back = read_labels(file, {set.size, set.classes, "", "", "auto"});
      EXPECT_EQ(masks_of(back), set.masks);
      if (format.format == LabelFormat::png || format.format == LabelFormat::tiff) {
        EXPECT_EQ(read_labels(file, {}).classes, names) << "the file names them";
      }
    }
  }
  std::vector<std::string> names;
  for (int c = 0; c < 33; ++c) names.push_back(std::to_string(c));
  const fs::path file = text_file(
      "many.csv", "id,class,encoding\n" + [&] {
        std::string rows;
        for (const std::string& name : names) rows += "a," + name + ",1 1\n";
        return rows;
      }());
  EXPECT_THAT(error_of([&] { read_labels(file, {{5, 5}, {}, "", "", "auto"}); }), HasSubstr("33 classes"));
}

}  // namespace
}  // namespace nephron::host
