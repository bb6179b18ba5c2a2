#include <nephron/dataset_check.hpp>
#include <nephron/parameter_check.hpp>

#include <tests/support/dataset_fixture.hpp>

namespace nephron::host {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

const std::vector<std::string> two{"healthy", "unhealthy"};

class MendeleyTest : public DatasetFixture {
 protected:
  MendeleyTest() : DatasetFixture("mendeley") {}
};

TEST_F(MendeleyTest, ListsTheSlidesOfDatasetA) {
  slide("SESCAM/SESCAM_1_0.svs", {40, 30});
  slide("VUHSK_1272.SVS", {50, 20});
  slide("B/PAS_1.svs", {10, 10});
  slide("SAS_1.png", {10, 10});
  write("annotations/SESCAM_1_0.json", objects({{"G", 1, 1, 4}, {"", 10, 1, 4}, {"FC", 20, 1, 2}}));
  const auto d = make();
  const auto slides = d->slides(two);
  ASSERT_EQ(slides.size(), 2U);
  EXPECT_EQ(slides[0].id, "SESCAM_1_0");
  EXPECT_EQ(slides[0].group, "external");
  EXPECT_EQ(slides[0].size, (Size{40, 30}));
  EXPECT_TRUE(d->annotated(slides[0]));
  EXPECT_EQ(slides[1].id, "VUHSK_1272");
  EXPECT_FALSE(d->annotated(slides[1]));
  const Image l = labels(*d, "SESCAM_1_0", two);
  EXPECT_EQ(count(l, 1), 50);  // what has no name is a healthy glomerulus
  EXPECT_EQ(count(l, 2), 9);
  EXPECT_EQ(count(labels(*d, "SESCAM_1_0", {"glomerulus"}), 1), 50);
  EXPECT_EQ(d->targets(two)[0].none_of, 0U);  // external: label & 1, label & 2
}

TEST_F(MendeleyTest, ObjectsMayHaveOtherClasses) {
  slide("SAS_1.svs", {40, 30});
  write("SAS_1.json", objects({{"G", 1, 1, 4}, {"FC", 20, 1, 2}, {"Other", 30, 1, 2}}));
  EXPECT_THAT(error_of([&] { labels(*make(), "SAS_1", two); }),
              AllOf(HasSubstr("SAS_1.json"), HasSubstr("\"Other\""), HasSubstr("expected one of \"G\", \"FC\"")));
  const auto rule = [](const char* name, const char* c) {
    return Value(Value::Table{{"name", name, {}}, {"class", c, {}}});
  };
  const Value::Array rules{rule("g", "all"), rule("FC", "all"), rule("FC", "sick"), rule("other", "")};
  const Image l = labels(*make({{"objects", rules, {}}}), "SAS_1", {"all", "sick"});
  EXPECT_EQ(count(l, 1), 25);
  EXPECT_EQ(count(l, 3), 9);
}

TEST_F(MendeleyTest, ObjectsMayBeIgnored) {
  slide("SAS_1.svs", {40, 30});
  write("SAS_1.json", objects({{"G", 1, 1, 4}, {"FC", 20, 1, 2}, {"Fold", 3, 3, 9}}));
  const Image l = labels(*make({{"ignore", Value::Array{"fold"}, {}}}), "SAS_1", two);
  EXPECT_EQ(count(l, 4), 100);
  EXPECT_EQ(count(l, 1), 25 - 9);
  EXPECT_EQ(count(l, 2), 9);
}

TEST_F(MendeleyTest, AWrongFolderShowsTheLayout) {
  EXPECT_THAT(error_of([&] {
                (void)make({{"root", (root_ / "none").string(), {}}})->slides(two);
              }),
              AllOf(HasSubstr("is not there; expected SESCAM_*.svs"), HasSubstr("k7nvtgn2x6.3")));
  EXPECT_THAT(error_of([&] { (void)make()->slides(two); }), HasSubstr("holds no slide; expected SESCAM_*.svs"));
  slide("mine.svs", {4, 4});
  EXPECT_THAT(error_of([&] { (void)make()->slides(two); }), HasSubstr("holds 1 slides, but none whose id holds"));
  EXPECT_EQ(make({{"slides", "", {}}})->slides(two).size(), 1U);
  EXPECT_THAT(error_of([&] { make({{"slides", "(", {}}}); }), HasSubstr("is no regular expression"));
  EXPECT_THAT(error_of([&] { make({{"donor", "SAS", {}}}); }), HasSubstr("no group in brackets"));
}

TEST_F(MendeleyTest, FilesWithoutAPartnerAndFoldersThatAreNotThereAreTold) {
  struct Said final : DatasetFindings, ParameterFaults {
    void finding(const std::string& text) override { findings += text + "\n"; }
    void note(const std::string& text) override { notes += text + "\n"; }
    void add(std::string_view key, const std::string& message, const std::string&) override {
      faults += std::string(key) + ": " + message + "\n";
    }
    std::string findings, notes, faults;
  } said;
  slide("SAS_1.svs", {40, 30});
  slide("SAS_2.svs", {40, 30});
  write("annotations/SAS_2.json", objects({{"G", 1, 1, 4}}));
  write("annotations/SAS_3.json", objects({{"G", 1, 1, 4}}));
  dynamic_cast<const DatasetCheck&>(*make()).check_files(two, said);
  EXPECT_EQ(said.findings, "1 annotation has no slide: \"SAS_3.json\" in " + (root_ / "annotations").string() + "\n");
  EXPECT_EQ(said.notes,
            "1 slide has no annotation: \"SAS_1\"; looked for " + (root_ / "annotations/NAME.json").string() + "\n");
  dynamic_cast<const ParameterCheck&>(*make({{"root", (root_ / "none").string(), {}}})).check_parameters(two, said);
  EXPECT_EQ(said.faults, "root: \"root\" names a folder that is not there: " + (root_ / "none").string() + "\n");
}

TEST_F(MendeleyTest, ReadsThePublishedAnnotations) {
  const fs::path data = shared_data();
  if (data.empty()) GTEST_SKIP() << "no ../shared/data, and NEPHRON_SHARED is not set";
  int files = 0;
  for (const auto& entry : fs::directory_iterator(data / "hubmap-annotations")) {
    const std::string id = entry.path().stem().string();
    if (!id.starts_with("SESCAM_") && !id.starts_with("VUHSK_") && !id.starts_with("SAS_")) continue;
    slide(id + ".svs", {60000, 60000});
    ++files;
  }
  const auto d = make({{"annotations", (data / "hubmap-annotations").string(), {}}});
  const auto slides = d->slides(two);
  ASSERT_EQ(slides.size(), static_cast<std::size_t>(files));
  ASSERT_GT(files, 30);
  for (const SlideInfo& info : slides) {
    LabelPainter painter(info.size, 2);
    d->annotate(info, two, painter);
    EXPECT_TRUE(d->annotated(info));
    EXPECT_TRUE(painter.touches(1, {0, 0, 60000, 60000})) << info.id;
  }
  fs::copy_file(data / "slides" / "broken.svs", root_ / "SAS_0.svs");
  const auto more = d->slides(two);
  ASSERT_EQ(more.size(), slides.size() + 1);
  EXPECT_TRUE(find(more, "SAS_0").size.empty());
  EXPECT_THAT(error_of([&] { (void)d->open(find(more, "SAS_0")); }), HasSubstr("SAS_0.svs is not a slide"));
}

}  // namespace
}  // namespace nephron::host
