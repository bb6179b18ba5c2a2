#include <host/store/record.hpp>

#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <nephron/error.hpp>

#include <host/store/marker.hpp>
#include <host/util/files.hpp>
#include <tests/support/damaged.hpp>
#include <tests/support/put_file.hpp>

namespace nephron::host {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class Records : public testing::Test {
 protected:
  Records() : file_(fs::temp_directory_path() / ("nephron_record_" + std::to_string(getpid()) + ".json")) {
    picture_.tool = "nephron";
    picture_.reader = "tiff 1.0.0";
    picture_.source = {"/slides/one.tiff", 12, -5, "abc", "../one.tiff"};
    picture_.size = {1000, 800};
    picture_.mpp = 0.25;
    picture_.reduction = Reduction::of(0.506 / 0.2531);
    picture_.bytes = 4711;
    picture_.digest = "d";
    picture_.tissue = 10;
    labels_.plugin = "image_folder 1.0.0";
    labels_.dataset = "folder";
    labels_.slide = "one";
    labels_.picture = "one-1a2b3c4d";
    labels_.classes = {"healthy", "sclerotic"};
    labels_.annotated = true;
    labels_.annotations = {{"/masks/one.png", 3, 4, "", ""}};
    labels_.size = {1000, 800};
    labels_.reduction = 2;
    labels_.soft = {1};
    labels_.foreground = {5, 6};
  }
  ~Records() override { fs::remove(file_); }
  fs::path file_;
  PictureRecord picture_;
  LabelsRecord labels_;
};

TEST_F(Records, ReadBackAsWritten) {
  write_file_atomically(file_, picture_.to_json());
  const PictureRecord p = PictureRecord::read(file_);
  EXPECT_EQ(p.to_json(), picture_.to_json());
  EXPECT_TRUE(p.source.looks_like(picture_.source));
  EXPECT_EQ(p.tissue, picture_.tissue);
  write_file_atomically(file_, labels_.to_json());
  EXPECT_EQ(LabelsRecord::read(file_).to_json(), labels_.to_json());
  EXPECT_EQ(LabelsRecord::read(file_).foreground, labels_.foreground);
  EXPECT_FALSE(LabelsRecord::read(file_).ignored.has_value()) << "as in records that know nothing of it";
}

TEST_F(Records, ColoursAreKnownOrMeasuredInVainOrNotYet) {
  EXPECT_FALSE(PictureRecord::parse(picture_.to_json(), file_).measured) << "as in records of before";
  picture_.measured = true;
  EXPECT_TRUE(PictureRecord::parse(picture_.to_json(), file_).measured);
  EXPECT_FALSE(PictureRecord::parse(picture_.to_json(), file_).colours.has_value());
  picture_.colours.emplace();
  picture_.colours->stains = {{{0.65, 0.70, 0.29}, {0.07, 0.99, 0.11}}};
  picture_.colours->strength = {1.5, 1.0 / 3};
  picture_.colours->lab_mean = {60, 20, -10};
  picture_.colours->background = {240, 239, 241};
  const PictureRecord back = PictureRecord::parse(picture_.to_json(), file_);
  ASSERT_TRUE(back.colours.has_value());
  EXPECT_EQ(back.colours->stains, picture_.colours->stains);
  EXPECT_EQ(back.colours->strength, picture_.colours->strength);
  EXPECT_EQ(back.to_json(), picture_.to_json());
  std::string damaged = picture_.to_json();
  damaged.replace(damaged.find("240"), 3, "1e9");
  EXPECT_THROW(PictureRecord::parse(damaged, file_), Error);
}

TEST_F(Records, LabelsMayHaveManyClassesAndIgnoredPixels) {
  labels_.classes.clear();
  for (int c = 0; c < 32; ++c) labels_.classes.push_back("class " + std::to_string(c));
  labels_.foreground.assign(32, 7);
  labels_.soft = {0, 31};
  labels_.ignored = 0;  // none is left at this reduction
  const LabelsRecord back = LabelsRecord::parse(labels_.to_json(), file_);
  EXPECT_EQ(back.soft, labels_.soft);
  EXPECT_EQ(back.ignored, 0);
  labels_.classes.emplace_back("one too many");
  EXPECT_THROW(LabelsRecord::parse(labels_.to_json(), file_), Error);
}

TEST_F(Records, AnotherFormatIsSaid) {
  std::string text = picture_.to_json();
  text.replace(text.find("\"format\": 2"), 11, "\"format\": 9");
  put_file(file_, text);
  try {
    PictureRecord::read(file_);
    FAIL();
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), testing::AllOf(HasSubstr(file_.string()), HasSubstr("format 9")));
    EXPECT_THAT(e.hint(), HasSubstr("prepare"));
  }
}

TEST_F(Records, OneKindIsNotTheOther) {
  EXPECT_THROW(PictureRecord::parse(labels_.to_json(), file_), Error);
  EXPECT_THROW(LabelsRecord::parse(picture_.to_json(), file_), Error);
  labels_.picture = "../elsewhere";
  EXPECT_THROW(LabelsRecord::parse(labels_.to_json(), file_), Error);
  EXPECT_FALSE(is_record_of_version_1(picture_.to_json()));
}

// Records and names that the first of this version wrote: what they tell of can be listed, verified and removed.
TEST_F(Records, ReductionsOfMoreDigitsStayWhatTheyWere) {
  constexpr double ratio = 1.2000000000000002;
  picture_.reduction = Reduction::written(ratio);
  EXPECT_EQ(picture_.reduction.str(), "1.2000000000000002");
  const PictureRecord read = PictureRecord::parse(picture_.to_json(), file_);
  EXPECT_EQ(read.reduction, picture_.reduction);
  EXPECT_NE(read.reduction, Reduction::of(ratio));
  EXPECT_EQ(Reduction::parse(read.reduction.str()), read.reduction);
  EXPECT_TRUE(is_store_file("tissue-" + read.reduction.str() + ".png"));
  EXPECT_TRUE(is_record_file("labels-" + read.reduction.str() + ".json"));
}

TEST(Reductions, WholeNumbersAreFactors) {
  EXPECT_EQ(Reduction::of(2.0000001), Reduction(2));
  EXPECT_EQ(Reduction::of(0.9999999), Reduction(1));
  EXPECT_EQ(Reduction::of(0.3 / 0.1), Reduction(3));
  EXPECT_FALSE(Reduction::of(2.001).whole());
  EXPECT_EQ(Reduction::of(1.08 / 0.9).str(), "1.2");
  EXPECT_EQ(Reduction::of(0.5 / 0.253).str(), "1.97628458498");
  EXPECT_EQ(Reduction(2).str(), "2");
  EXPECT_EQ(Reduction::parse(Reduction::of(1.976284584980237).str()), Reduction::of(1.976284584980237));
  for (const char* text : {"", "0", "-2", "2.0", "02", "1e2", "nan", "inf", "2 ", "2x", "1025", "0.5", "2.0000001"})
    EXPECT_FALSE(Reduction::parse(text).has_value()) << text;
  for (const double wrong : {0.5, 0., -2., 1025., std::nan(""), HUGE_VAL})
    EXPECT_THROW(Reduction::of(wrong), Error) << wrong;
  EXPECT_EQ(Reduction::of(2.5).size_of({1000, 999}), (Size{400, 399}));
  EXPECT_EQ(Reduction(2).times_to(4), 2);
  EXPECT_EQ(Reduction(3).times_to(4), 0);
  EXPECT_EQ(Reduction::of(2.5).times_to(5), 0);
}

TEST_F(Records, DamagedTextIsRefusedAndNeverKills) {
  const auto names_the_file = HasSubstr(file_.string());
  const Outcomes pictures =
      read_damaged(2000, {picture_.to_json()}, json_damage(), names_the_file, [&](const std::string& text) {
        put_file(file_, text);
        const PictureRecord r = PictureRecord::read(file_);
        ASSERT_FALSE(r.size.empty());
        ASSERT_TRUE(r.reduction.value() >= 1 && r.reduction.value() <= Reduction::largest);
      });
  const Outcomes labels =
      read_damaged(2000, {labels_.to_json()}, json_damage(), names_the_file, [&](const std::string& text) {
        put_file(file_, text);
        const LabelsRecord r = LabelsRecord::read(file_);
        ASSERT_TRUE(!r.annotated || r.foreground.size() == r.classes.size());
        ASSERT_EQ(r.picture.find('/'), std::string::npos);
      });
  EXPECT_GT(std::min(pictures.refused, labels.refused), 500);
  EXPECT_GT(std::min(pictures.read, labels.read), 20);
  write_file_atomically(file_, "");
  EXPECT_THROW(PictureRecord::read(file_), Error);
  write_file_atomically(file_, std::string(200000, '['));
  EXPECT_THROW(PictureRecord::read(file_), Error);
}

}  // namespace
}  // namespace nephron::host
