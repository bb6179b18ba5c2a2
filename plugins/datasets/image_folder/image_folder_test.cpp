#include <unistd.h>

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include <nephron/dataset.hpp>
#include <nephron/dataset_check.hpp>
#include <nephron/error.hpp>
#include <nephron/image_cv.hpp>

#include <host/plugins/host_context.hpp>
#include <host/plugins/registry.hpp>
#include <tests/support/put_file.hpp>

namespace nephron::host {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

/// Keeps the last mask, and the last of ignored pixels.
struct MaskSink final : AnnotationSink {
  Image labels, ignored_pixels;
  void polygon(int, const Polygon&) override { ADD_FAILURE(); }
  void mask(const Region& region, const ImageView& view) override {
    labels = Image(region.size(), 1);
    copy(view, labels.view());
  }
  void runs(int, std::span<const Run>, bool) override { ADD_FAILURE(); }
  void probability(int, const Region&, const ImageView&) override { ADD_FAILURE(); }
  void ignore(const Region& region, const ImageView& view) override {
    ignored_pixels = Image(region.size(), 1);
    copy(view, ignored_pixels.view());
  }
};

class ImageFolderTest : public testing::Test {
 protected:
  ImageFolderTest() {
    root_ = fs::temp_directory_path() / ("nephron_image_folder_" + std::to_string(getpid()));
    fs::create_directories(root_ / "images");
    fs::create_directories(root_ / "masks");
  }
  ~ImageFolderTest() override { fs::remove_all(root_); }

  std::shared_ptr<Dataset> make(Value::Table params = {}) {
    params.push_back({"root", root_.string(), {}});
    return registry_.create<Dataset>(ComponentSpec{"image_folder", Value(std::move(params)), {}}, context_);
  }
  static cv::Mat picture(int width = 40, int height = 30) {
    cv::Mat m(height, width, CV_8UC3);
    for (int y = 0; y < height; ++y)
      for (int x = 0; x < width; ++x)
        m.at<cv::Vec3b>(y, x) = {std::uint8_t(x * 5), std::uint8_t(y * 7), std::uint8_t(x + y)};
    return m;
  }
  void write(const std::string& name, const cv::Mat& m) { ASSERT_TRUE(cv::imwrite((root_ / name).string(), m)); }
  static std::string bytes_of_file(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void write_bytes(const std::string& name, const std::string& bytes) { put_file(root_ / name, bytes); }
  Image labels_of(const Dataset& d, const std::vector<std::string>& classes) {
    MaskSink sink;
    d.annotate(d.slides(classes).at(0), classes, sink);
    return sink.labels;
  }
  std::string open_error(const Dataset& d) {
    try {
      d.open(d.slides({"a"}).at(0));
    } catch (const Error& e) {
      return e.what();
    }
    return "";
  }

  fs::path root_;
  Registry registry_{PluginSearch{{NEPHRON_PLUGIN_FILE}, {}}};
  HostContext context_{"image_folder", "dataset[0]"};
};

TEST_F(ImageFolderTest, ReadsEveryFormatAsRgbInTheOrderOfNames) {
  for (const char* name : {"images/b.png", "images/a.tif", "images/c.jpg", "images/d.tiff", "images/e.JPEG"})
    write(name, picture());
  write_bytes("images/notes.txt", "not a picture");
  const auto d = make({{"mpp", 0.5, {}}});
  const auto slides = d->slides({"a"});
  ASSERT_EQ(slides.size(), 5U);
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(slides[i].id, std::string(1, "abcde"[i]));
    EXPECT_EQ(slides[i].size, (Size{40, 30}));
    EXPECT_EQ(slides[i].mpp, 0.5);
    EXPECT_FALSE(d->annotated(slides[i]));
    const auto reader = d->open(slides[i]);
    Image part({10, 8}, 3);
    reader->read({20, 15, 10, 8}, part.view());
    const bool lossy = slides[i].id == "c" || slides[i].id == "e";
    EXPECT_NEAR(part.view().row<std::uint8_t>(0)[0], 35, lossy ? 25 : 0);   // red: x + y
    EXPECT_NEAR(part.view().row<std::uint8_t>(0)[2], 100, lossy ? 25 : 0);  // blue: 5 x
    EXPECT_THROW(reader->read({35, 0, 10, 8}, part.view()), Error);
  }
}

/// Keeps what the dataset says of its files.
struct Said final : DatasetFindings {
  void finding(const std::string& text) override { findings.push_back(text); }
  void note(const std::string& text) override { notes.push_back(text); }
  std::vector<std::string> findings, notes;
};
Said said_of(const Dataset& d, const std::vector<std::string>& classes) {
  Said out;
  dynamic_cast<const DatasetCheck&>(d).check_files(classes, out);
  return out;
}

TEST_F(ImageFolderTest, FilesArePairedWhateverTheirEndings) {
  write("images/a 1.PNG", picture());
  write("images/b.jpg", picture());
  write("images/c.TIF", picture());
  const cv::Mat mask(30, 40, CV_8U, cv::Scalar(255));
  write("masks/a 1.Tif", mask);
  write("masks/b.png", mask);
  write("masks/c.PNG", mask);
  write_bytes("images/.DS_Store", "x");
  write_bytes("images/._b.jpg", "left by a Mac");
  write_bytes("masks/._b.png", "left by a Mac");
  const auto d = make();
  const auto slides = d->slides({"a"});
  ASSERT_EQ(slides.size(), 3U);
  for (const SlideInfo& slide : slides) {
    EXPECT_TRUE(d->annotated(slide)) << slide.id;
    MaskSink sink;
    d->annotate(slide, {"a"}, sink);
    EXPECT_EQ(sink.labels.size(), (Size{40, 30}));
  }
  EXPECT_THAT(said_of(*d, {"a"}).findings, testing::IsEmpty());
  EXPECT_THAT(said_of(*d, {"a"}).notes, testing::IsEmpty());
}

TEST_F(ImageFolderTest, FilesWithoutAPartnerAreNamed) {
  const cv::Mat mask(30, 40, CV_8U, cv::Scalar(255));
  for (const char* name : {"a", "b", "c", "d", "e"}) {
    write(std::string("images/") + name + ".png", picture());
    write(std::string("masks/") + name + "_mask.png", mask);
  }
  Said said = said_of(*make(), {"a"});
  EXPECT_THAT(said.findings,
              testing::ElementsAre(
                  AllOf(HasSubstr("5 masks have no picture: \"a_mask.png\", \"b_mask.png\", \"c_mask.png\" and 2 more"),
                        HasSubstr("mask_suffix = \"_mask\" pairs them"))));
  EXPECT_THAT(said.notes, testing::ElementsAre(AllOf(HasSubstr("5 of 5 pictures have no mask"),
                                                     HasSubstr("looked for " + (root_ / "masks/NAME.png").string()))));
  fs::remove(root_ / "masks/c_mask.png");
  write("masks/lost_mask.png", mask);
  said = said_of(*make({{"mask_suffix", "_mask", {}}}), {"a"});
  EXPECT_THAT(said.findings, testing::ElementsAre(HasSubstr("1 mask has no picture: \"lost_mask.png\"")));
  EXPECT_THAT(said.notes, testing::ElementsAre(HasSubstr("1 of 5 pictures has no mask, and is not trained on: \"c\"")));
}

TEST_F(ImageFolderTest, MasksMayLieBesideTheirPictures) {
  write("images/a.png", picture());
  write("images/a_mask.png", cv::Mat(30, 40, CV_8U, cv::Scalar(255)));
  write("images/b.png", picture());
  const auto d = make({{"masks", "images", {}}, {"mask_suffix", "_mask", {}}});
  const auto slides = d->slides({"a"});
  ASSERT_EQ(slides.size(), 2U);
  EXPECT_TRUE(d->annotated(slides[0]));
  EXPECT_FALSE(d->annotated(slides[1]));
}

TEST_F(ImageFolderTest, NamesMayBeIgnored) {
  write("images/a.png", picture());
  cv::Mat mask(30, 40, CV_8U, cv::Scalar(0));
  mask(cv::Rect(3, 4, 5, 6)) = 1;
  mask(cv::Rect(20, 10, 7, 3)) = 255;
  write("masks/a.png", mask);
  const Value values(Value::Table{{"glomerulus", 1, {}}, {"unsure", 255, {}}});
  const auto d = make({{"values", values, {}}, {"ignore", Value::Array{"Unsure"}, {}}});
  MaskSink sink;
  d->annotate(d->slides({"glomerulus"}).at(0), {"glomerulus"}, sink);
  EXPECT_EQ(cv::countNonZero(as_mat(sink.labels.view()) == 1), 30);
  EXPECT_EQ(cv::countNonZero(as_mat(sink.labels.view())), 30);
  ASSERT_FALSE(sink.ignored_pixels.empty());
  EXPECT_EQ(cv::countNonZero(as_mat(sink.ignored_pixels.view()) != (mask == 255)), 0);
  const auto fault = [&](Value::Table params) {
    try {
      make(std::move(params))->slides({"glomerulus"});
    } catch (const Error& e) {
      return e.what() + std::string(" ") + e.hint();
    }
    return std::string("none");
  };
  EXPECT_THAT(fault({{"values", values, {}}}), HasSubstr("names class \"unsure\""));
  EXPECT_THAT(fault({{"values", values, {}}, {"ignore", Value::Array{"unsure", "fold"}, {}}}),
              HasSubstr("\"ignore\" names \"fold\", which the masks have no code of"));
  EXPECT_THAT(fault({{"ignore", Value::Array{"unsure"}, {}}}), HasSubstr("values = { ..., unsure = 255 }"));
}

TEST_F(ImageFolderTest, AMaskInTheAlphaChannelIsRefused) {
  write("images/a.png", picture());
  cv::Mat clear(30, 40, CV_8UC4, cv::Scalar(0, 0, 0, 0));
  clear(cv::Rect(5, 5, 9, 9)) = cv::Scalar(0, 0, 0, 255);
  write("masks/a.png", clear);
  const auto error = [&] {
    try {
      labels_of(*make(), {"a"});
    } catch (const Error& e) {
      return std::string(e.what());
    }
    return std::string("none");
  };
  EXPECT_THAT(error(), AllOf(HasSubstr("a.png"), HasSubstr("the mask is in the alpha channel")));
  clear.setTo(cv::Scalar(0, 0, 0, 255));
  clear(cv::Rect(5, 5, 9, 9)) = cv::Scalar(255, 255, 255, 255);
  write("masks/a.png", clear);
  EXPECT_EQ(error(), "none");  // opaque, and drawn in colour
}

TEST_F(ImageFolderTest, AFileThatTheDecoderCannotCountIsRefused) {
  write("images/a.png", picture());
  fs::resize_file(root_ / "images/a.png", (std::uintmax_t{1} << 31) + 10);  // a hole: no bytes on disk
  EXPECT_THAT(open_error(*make()), AllOf(HasSubstr("a.png"), HasSubstr("pictures are read up to 2147483647")));
}

TEST_F(ImageFolderTest, MasksThatWillBeMisreadAreToldOf) {
  write("images/a.png", picture());
  write("masks/a.jpg", cv::Mat(30, 40, CV_8U, cv::Scalar(255)));
  EXPECT_THAT(said_of(*make(), {"a"}).notes, testing::ElementsAre(HasSubstr("1 mask has lossy compression (JPEG)")));
  EXPECT_THAT(said_of(*make({{"tolerance", 50, {}}}), {"a"}).notes, testing::IsEmpty());
  EXPECT_THAT(said_of(*make({{"tolerance", 50, {}}}), {"a", "b"}).notes,
              testing::ElementsAre(HasSubstr("whatever is not black in a mask is \"a\", and nothing is \"b\"")));
}

TEST_F(ImageFolderTest, SixteenBitsAlphaAndGreyBecomeRgb) {
  cv::Mat deep(8, 8, CV_16UC3, cv::Scalar(257 * 3, 257 * 2, 257 * 1)), clear(8, 8, CV_8UC4, cv::Scalar(3, 2, 1, 77));
  write("images/a.png", deep);
  write("images/b.png", clear);
  write("images/c.png", cv::Mat(8, 8, CV_8U, cv::Scalar(9)));
  const auto d = make();
  const auto slides = d->slides({"a"});
  Image all({8, 8}, 3);
  for (std::size_t i = 0; i < 3; ++i) {
    d->open(slides[i])->read({0, 0, 8, 8}, all.view());
    const auto* p = all.view().row<std::uint8_t>(4);
    if (i < 2) EXPECT_EQ((std::array{p[0], p[1], p[2]}), (std::array<std::uint8_t, 3>{1, 2, 3}));
    else EXPECT_EQ((std::array{p[0], p[1], p[2]}), (std::array<std::uint8_t, 3>{9, 9, 9}));
  }
}

TEST_F(ImageFolderTest, MasksByNonzeroValueAndColour) {
  write("images/a.png", picture());
  cv::Mat mask(30, 40, CV_8UC3, cv::Scalar(0, 0, 0));
  mask(cv::Rect(0, 0, 10, 10)) = cv::Scalar(0, 0, 255);   // red
  mask(cv::Rect(20, 0, 10, 10)) = cv::Scalar(255, 0, 0);  // blue
  write("masks/a.png", mask);
  const auto at = [](const Image& m, int x, int y) { return int{m.view().row<std::uint8_t>(y)[x]}; };
  const Image nonzero = labels_of(*make(), {"first", "second"});
  EXPECT_EQ(at(nonzero, 5, 5), 1);
  EXPECT_EQ(at(nonzero, 25, 5), 1);
  EXPECT_EQ(at(nonzero, 15, 5), 0);
  EXPECT_EQ(at(labels_of(*make({{"nonzero", "second", {}}}), {"first", "second"}), 5, 5), 2);

  Value colours{Value::Table{}};
  colours.set("second", Value::Array{255, 0, 0});
  colours.set("first", Value::Array{Value::Array{0, 0, 255}, Value::Array{0, 255, 0}});
  const Image by_colour = labels_of(*make({{"colours", colours, {}}}), {"first", "second"});
  EXPECT_EQ(at(by_colour, 5, 5), 2);
  EXPECT_EQ(at(by_colour, 25, 5), 1);

  cv::Mat values(30, 40, CV_16U, cv::Scalar(0));
  values(cv::Rect(0, 0, 10, 10)) = 300;
  values(cv::Rect(20, 0, 10, 10)) = 2;
  write("masks/a.png", values);
  Value codes{Value::Table{}};
  codes.set("first", Value::Array{1, 2});
  codes.set("second", 300);
  const Image by_value = labels_of(*make({{"values", codes, {}}}), {"first", "second"});
  EXPECT_EQ(at(by_value, 5, 5), 2);
  EXPECT_EQ(at(by_value, 25, 5), 1);
}

TEST_F(ImageFolderTest, MistakesAreNamed) {
  const auto message = [&](const auto& call) -> std::string {
    try {
      call();
    } catch (const Error& e) {
      return std::string(e.what()) + " | " + e.hint();
    }
    return "no error";
  };
  EXPECT_THAT(message([&] { make()->slides({"a"}); }), HasSubstr("holds no .png"));
  write("images/a.png", picture());
  write("masks/a.png", cv::Mat(30, 41, CV_8U, cv::Scalar(7)));
  EXPECT_THAT(message([&] { labels_of(*make(), {"a"}); }),
              AllOf(HasSubstr("41 x 30"), HasSubstr("40 x 30"), HasSubstr("expected equal sizes")));
  write("masks/a.png", cv::Mat(30, 40, CV_8U, cv::Scalar(7)));
  Value codes{Value::Table{}};
  codes.set("healthy", 1);
  EXPECT_THAT(message([&] {
                labels_of(*make({{"values", codes, {}}}), {"healthy"});
              }),
              AllOf(HasSubstr("value 7"), HasSubstr("at (0, 0)"), HasSubstr("ignore_unknown")));
  EXPECT_EQ(message([&] {
              labels_of(*make({{"values", codes, {}}, {"ignore_unknown", true, {}}}), {"healthy"});
            }),
            "no error");
  EXPECT_THAT(message([&] {
                make({{"values", codes, {}}})->slides({"healty"});
              }),
              HasSubstr("did you mean \"healty\""));
  EXPECT_THAT(message([&] { make({{"colours", codes, {}}}); }), HasSubstr("colours = { CLASS = [255, 0, 0]"));
  EXPECT_THAT(message([&] { make({{"donor", "(", {}}}); }), HasSubstr("no regular expression"));
  EXPECT_THAT(message([&] { make({{"donor", "x", {}}}); }), HasSubstr("has no group"));
  write("images/a.jpg", picture());
  EXPECT_THAT(message([&] { make()->slides({"a"}); }), HasSubstr("have one name"));
  fs::remove_all(root_ / "images");
  EXPECT_THAT(message([&] { make()->slides({"a"}); }), AllOf(HasSubstr("is not a folder"), HasSubstr("NAME.png")));
}

TEST_F(ImageFolderTest, DonorAndGroupComeFromTheName) {
  write("images/p12_left.png", picture());
  const auto info = make({{"donor", "^p(\\d+)", {}}, {"group", "_(\\w+)$", {}}})->slides({"a"}).at(0);
  EXPECT_EQ(info.donor, "12");
  EXPECT_EQ(info.group, "left");
}

/// Valid files of every format, small.
class Hostile : public ImageFolderTest {
 protected:
  struct Sample {
    std::string extension, bytes;
  };
  std::vector<Sample> samples() {
    std::vector<Sample> out;
    for (const std::string extension : {"png", "jpg", "tif"}) {
      const fs::path file = root_ / ("sample." + extension);
      cv::imwrite(file.string(), picture());
      out.push_back({extension, bytes_of_file(file)});
      fs::remove(file);
    }
    return out;
  }
  /// Opening must end in a picture or in an Error that names the file; true for a picture.
  bool opens(const Dataset& d, const std::string& extension, const std::string& bytes) {
    const std::string name = "images/x." + extension;
    write_bytes(name, bytes);
    SlideInfo info;
    info.id = "x";
    info.source = root_ / name;
    try {
      const auto reader = d.open(info);
      Image all(reader->size(), 3);
      reader->read({0, 0, reader->size().width, reader->size().height}, all.view());
      return true;
    } catch (const Error& e) {
      EXPECT_THAT(e.what(), HasSubstr("x." + extension));
      return false;
    }
  }
};

TEST_F(Hostile, TruncatedAndEmptyFilesAreRefused) {
  const auto d = make();
  for (const Sample& s : samples()) {
    ASSERT_TRUE(opens(*d, s.extension, s.bytes)) << s.extension;
    for (std::size_t n = 0; n < 100; ++n) {
      // OpenCV's TIFF has its directory behind the pixels, PNG and JPEG have end marks: no cut leaves a whole file.
      const std::size_t keep = n * (s.bytes.size() - 1) / 100;
      EXPECT_FALSE(opens(*d, s.extension, s.bytes.substr(0, keep))) << s.extension << " cut to " << keep;
    }
  }
}

TEST_F(Hostile, HugeHeadersFailAtOnce) {
  const auto d = make();
  auto s = samples();
  s[0].bytes.replace(16, 8, std::string("\x00\x00\xB5\x04\x00\x00\xB5\x04", 8));  // 46340 x 46340: 2^31 pixels
  write_bytes("images/x.png", s[0].bytes);
  EXPECT_THAT(open_error(*d), AllOf(HasSubstr("46340 x 46340"), HasSubstr("x.png")));
  s[0].bytes.replace(16, 8,
                     std::string("\x00\x00\x40\x00\x00\x00\x40\x00", 8));  // 16384^2: allowed, but not in this file
  write_bytes("images/x.png", s[0].bytes);
  EXPECT_THAT(open_error(*d), HasSubstr("cannot hold"));
  fs::remove(root_ / "images/x.png");
  s[1].bytes.replace(s[1].bytes.find("\xFF\xC0") + 5, 4, "\xFF\xFF\xFF\xFF");
  write_bytes("images/x.jpg", s[1].bytes);
  EXPECT_THAT(open_error(*d), AllOf(HasSubstr("65535 x 65535"), HasSubstr("x.jpg")));
}

TEST_F(Hostile, RandomBytesAndMutationsEndInAPictureOrAnError) {
  const auto d = make();
  const auto all = samples();
  const std::array<std::string, 6> magics{"",
                                          std::string("\x89PNG\r\n\x1a\n", 8),
                                          "\xFF\xD8\xFF",
                                          std::string("II*\0", 4),
                                          std::string("MM\0*", 4),
                                          std::string("II+\0\x08\0\0\0", 8)};
  Rng rng(2026, "hostile");
  int pictures = 0;
  for (int i = 0; i < 600; ++i) {
    std::string bytes = magics[static_cast<std::size_t>(i) % magics.size()];
    for (std::int64_t n = rng.integer(0, 400); n > 0; --n) bytes += static_cast<char>(rng.bits());
    pictures += opens(*d, "png", bytes);
  }
  EXPECT_EQ(pictures, 0);
  for (int i = 0; i < 2400; ++i) {
    const Sample& s = all[static_cast<std::size_t>(i) % 3];
    std::string bytes = s.bytes;
    for (std::int64_t n = rng.integer(1, 6); n > 0; --n) {
      // Half of the changes hit the first bytes and the last, where the structure is.
      const auto last = static_cast<std::int64_t>(bytes.size()) - 1;
      const std::int64_t near = rng.integer(0, std::min<std::int64_t>(last, 220));
      const std::int64_t at = rng.chance(0.5) ? rng.integer(0, last) : s.extension == "tif" ? last - near : near;
      bytes[static_cast<std::size_t>(at)] = static_cast<char>(rng.chance(0.3) ? 0xFF : rng.bits());
    }
    pictures += opens(*d, s.extension, bytes);
  }
  EXPECT_LT(pictures, 2400);
  RecordProperty("still_pictures", pictures);
}

}  // namespace
}  // namespace nephron::host
