#include <host/store/record.hpp>

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <nephron/error.hpp>

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
    picture_.dataset = "a";
    picture_.slide = "one";
    picture_.source = {"/slides/one.tiff", 12, -5, "abc", "../one.tiff"};
    picture_.size = {1000, 800};
    picture_.mpp = 0.25;
    picture_.factors = {2, 4};
    picture_.bytes = 4711;
    picture_.digest = "d";
    picture_.tissue = {{2, 10}, {4, 3}};
    labels_.plugin = "image_folder 1.0.0";
    labels_.classes = {"healthy", "sclerotic"};
    labels_.annotated = true;
    labels_.annotations = {{"/masks/one.png", 3, 4, "", ""}};
    labels_.size = {1000, 800};
    labels_.factors = {2};
    labels_.soft = {1};
    labels_.foreground = {{2, {5, 6}}};
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
}

TEST_F(Records, AnotherFormatIsSaid) {
  std::string text = picture_.to_json();
  text.replace(text.find("\"format\": 1"), 11, "\"format\": 9");
  put_file(file_, text);
  try {
    PictureRecord::read(file_);
    FAIL();
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), testing::AllOf(HasSubstr(file_.string()), HasSubstr("format 9")));
    EXPECT_THAT(e.hint(), HasSubstr("prepare"));
  }
}

TEST_F(Records, DamagedTextIsRefusedAndNeverKills) {
  const auto names_the_file = HasSubstr(file_.string());
  const Outcomes pictures =
      read_damaged(2000, {picture_.to_json()}, json_damage(), names_the_file, [&](const std::string& text) {
        put_file(file_, text);
        const PictureRecord r = PictureRecord::read(file_);
        ASSERT_FALSE(r.size.empty());
        for (const int f : r.factors) ASSERT_TRUE(f >= 1 && f <= 64 && r.tissue.contains(f));
      });
  const Outcomes labels =
      read_damaged(2000, {labels_.to_json()}, json_damage(), names_the_file, [&](const std::string& text) {
        put_file(file_, text);
        const LabelsRecord r = LabelsRecord::read(file_);
        for (const auto& [f, counts] : r.foreground) ASSERT_EQ(counts.size(), r.classes.size());
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
