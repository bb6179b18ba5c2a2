#include <nephron/dataset_check.hpp>

#include <tests/support/dataset_fixture.hpp>

namespace nephron::host {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const std::vector<std::string> two{"healthy", "unhealthy"};
const std::string metadata_name = "HuBMAP-20-dataset_information.csv";

class HubmapKaggleTest : public DatasetFixture {
 protected:
  HubmapKaggleTest() : DatasetFixture("hubmap_kaggle") {
    slide("train/aaa.tiff", {40, 30});
    slide("train/bbb.tiff", {50, 20});
    slide("test/ccc.tiff", {10, 10});
    write("train.csv", "id,encoding\naaa,31 5 61 2\nbbb,\n");
    write(metadata_name,
          "image_file,width_pixels,height_pixels,patient_number\naaa.tiff,40,30,67347\nbbb.tiff,20,20,67112\n");
  }
  Value::Table extra(Value::Table params = {}) {
    params.push_back({"extra", (root_ / "extra").string(), {}});
    return params;
  }
};

TEST_F(HubmapKaggleTest, ListsSlidesWithDonors) {
  const auto d = make();
  const auto slides = d->slides(two);
  ASSERT_EQ(slides.size(), 2U);
  EXPECT_EQ(slides[0].id, "aaa");
  EXPECT_EQ(slides[0].size, (Size{40, 30}));
  EXPECT_EQ(slides[0].donor, "67347");
  EXPECT_EQ(slides[0].mpp, 0.5);
  EXPECT_THAT(slides[0].annotations, ElementsAre(root_ / "train.csv"));
  EXPECT_TRUE(d->annotated(slides[0]));
  EXPECT_EQ(d->open(slides[0])->size(), (Size{40, 30}));
  EXPECT_EQ(make({{"part", "all", {}}})->slides(two).size(), 3U);
  const auto test = make({{"part", "test", {}}});
  EXPECT_EQ(test->slides(two).at(0).id, "ccc");
  EXPECT_FALSE(test->annotated(test->slides(two).at(0)));
}

TEST_F(HubmapKaggleTest, TheHeaderWinsOverTheMetadata) {
  EXPECT_EQ(find(make()->slides(two), "bbb").size, (Size{50, 20}));
  EXPECT_THAT(context_.kept.text,
              AllOf(HasSubstr("info: "), HasSubstr(metadata_name + ":3 says that bbb.tiff has 20 x 20 px"),
                    HasSubstr("its header says 50 x 20 px, which counts"), Not(HasSubstr("aaa.tiff"))));
}

TEST_F(HubmapKaggleTest, RunsGoDownTheColumns) {
  const Image l = labels(*make(), "aaa", two);
  EXPECT_EQ(count(l, 1), 7);
  for (int y = 0; y < 5; ++y) EXPECT_EQ(at(l, 1, y), 1) << y;
  EXPECT_EQ(at(l, 2, 0), 1);
  EXPECT_EQ(at(l, 2, 1), 1);
  EXPECT_EQ(count(labels(*make(), "bbb", two), 0), 50 * 20);  // an empty mask is a mask
}

TEST_F(HubmapKaggleTest, HandAnnotationsAreAdded) {
  write("extra/bbb.json", objects({{"G", 5, 5, 3}, {"FC", 20, 5, 2}}));
  const Image both = labels(*make(extra()), "bbb", two);
  EXPECT_EQ(at(both, 6, 6), 1);
  EXPECT_EQ(count(both, 1), 16);
  EXPECT_EQ(at(both, 21, 6), 2);
  EXPECT_EQ(count(both, 2), 9);
  EXPECT_EQ(count(labels(*make(extra()), "aaa", two), 1), 7);  // without a file: the truth alone

  const Image added = labels(*make(extra({{"add_fc", true, {}}})), "bbb", two);
  EXPECT_EQ(count(added, 1), 16);
  EXPECT_EQ(count(added, 3), 9);
  const Image one = labels(*make(extra({{"add_fc", true, {}}})), "bbb", {"glomerulus"});
  EXPECT_EQ(count(one, 1), 25);

  const auto only = make(extra({{"only_fc", true, {}}}));
  EXPECT_EQ(count(labels(*only, "bbb", two), 2), 9);
  EXPECT_EQ(count(labels(*only, "bbb", two), 1), 0);
  EXPECT_EQ(count(labels(*only, "bbb", {"sclerotic"}), 1), 9);
  EXPECT_FALSE(only->annotated(find(only->slides(two), "aaa")));
}

TEST_F(HubmapKaggleTest, TargetsAreTheReferences) {
  const auto rules = make()->targets(two);
  EXPECT_EQ(rules[0].any_of, 1U);
  EXPECT_EQ(rules[0].none_of, 2U);
  EXPECT_EQ(rules[1].any_of, 2U);
  EXPECT_EQ(rules[1].none_of, 0U);
  EXPECT_EQ(make(extra({{"add_fc", true, {}}}))->targets(two)[0].none_of, 0U);
  EXPECT_EQ(make()->targets({"glomerulus"})[0].none_of, 0U);
  Value::Table rule{
      {"class", "unhealthy", {}}, {"any_of", Value::Array{"healthy", "unhealthy"}, {}}, {"weight", 0.5, {}}};
  const auto own = make({{"targets", Value::Array{Value(rule)}, {}}})->targets(two);
  EXPECT_EQ(own[0].none_of, 2U);
  EXPECT_EQ(own[1].any_of, 3U);
  EXPECT_EQ(own[1].weight, 0.5F);
}

TEST_F(HubmapKaggleTest, AnatomicalStructuresMayBeClasses) {
  write("train/aaa-anatomical-structure.json", objects({{"Cortex", 0, 0, 20}, {"Medulla", 25, 0, 5}}));
  const std::vector<std::string> classes{"glomerulus", "unhealthy", "cortex"};
  Value::Table rule{{"name", "Cortex", {}}, {"class", "cortex", {}}};
  const auto d = make({{"structures", Value::Array{Value(rule)}, {}}});
  const Image l = labels(*d, "aaa", classes);
  EXPECT_EQ(count(l, 4) + count(l, 5), 21 * 21);
  EXPECT_EQ(count(l, 5), 7);
  EXPECT_EQ(at(l, 27, 2), 0);
  EXPECT_THAT(error_of([&] { (void)d->slides(two); }), HasSubstr("\"cortex\" is not one of the experiment's classes"));
}

TEST_F(HubmapKaggleTest, NamesOfAllAnnotationsMayBeIgnored) {
  write("train/aaa-anatomical-structure.json", objects({{"Cortex", 0, 0, 20}, {"Medulla", 25, 0, 5}}));
  write("extra/aaa.json", objects({{"G", 30, 8, 2}, {"FC", 36, 8, 2}}));
  const Image l = labels(*make(extra({{"ignore", Value::Array{"medulla", "FC"}, {}}})), "aaa", two);
  EXPECT_EQ(count(l, 4), 36 + 9);
  EXPECT_EQ(at(l, 27, 2), 4);
  EXPECT_EQ(count(l, 1), 7 + 9);
  EXPECT_EQ(count(l, 2), 0) << "what is ignored has no class";
}

TEST_F(HubmapKaggleTest, PolygonsMayBeTheTruth) {
  write("train/aaa.json", objects({{"glomerulus", 3, 3, 4}}));
  const auto d = make({{"truth", "polygons", {}}});
  EXPECT_EQ(count(labels(*d, "aaa", two), 1), 25);
  EXPECT_FALSE(d->annotated(find(d->slides(two), "bbb")));
}

TEST_F(HubmapKaggleTest, AWrongFolderShowsTheLayout) {
  const auto fault = [&](const fs::path& root) {
    return error_of([&] { (void)make({{"root", root.string(), {}}})->slides(two); });
  };
  EXPECT_THAT(fault(root_ / "none"), AllOf(HasSubstr("it is no folder"), HasSubstr("train/ID.tiff")));
  fs::create_directories(root_ / "empty" / "train");
  EXPECT_THAT(fault(root_ / "empty"), HasSubstr("it has no train.csv"));
  write("empty/train.csv", "id,encoding\n");
  EXPECT_THAT(fault(root_ / "empty"), HasSubstr("it holds no slide"));
  write("empty/train.csv", "id,runs\n");
  slide("empty/train/x.tiff", {4, 4});
  EXPECT_THAT(fault(root_ / "empty"), AllOf(HasSubstr("train.csv:1: there is no column \"encoding\"")));
}

TEST_F(HubmapKaggleTest, AFaultCostsItsSlideAlone) {
  write("train.csv", "id,encoding\naaa,1190 20\nbbb,1 2\nbbb,5 2\n");
  write("train/ddd.tiff", "no slide");
  const auto d = make();
  const auto slides = d->slides(two);
  ASSERT_EQ(slides.size(), 3U);
  EXPECT_THAT(error_of([&] { labels(*d, "aaa", two); }), HasSubstr("train.csv:2"));  // past the last pixel
  EXPECT_THAT(error_of([&] { labels(*d, "bbb", two); }), AllOf(HasSubstr("train.csv:4"), HasSubstr("train.csv:3")));
  EXPECT_TRUE(find(slides, "ddd").size.empty());
  EXPECT_THAT(error_of([&] { (void)d->open(find(slides, "ddd")); }), HasSubstr("ddd.tiff is not a slide"));
  write("extra/aaa.json", objects({{"", 1, 1, 2}}));
  write("train.csv", "id,encoding\naaa,\nbbb,1 2\nlost,1 1\n");
  EXPECT_THAT(error_of([&] { labels(*make(extra()), "aaa", two); }),
              AllOf(HasSubstr("aaa.json"), HasSubstr("no classification")));
  struct Said final : DatasetFindings {
    void finding(const std::string& text) override { findings += text + "\n"; }
    void note(const std::string& text) override { notes += text + "\n"; }
    std::string findings, notes;
  } said;
  dynamic_cast<const DatasetCheck&>(*make()).check_files(two, said);
  EXPECT_THAT(said.findings, AllOf(HasSubstr("train.csv has 1 mask of slides that are not in"), HasSubstr("\"lost\"")));
  EXPECT_THAT(said.notes, AllOf(HasSubstr("1 slide of"), HasSubstr("has no annotation: \"ddd\"")));
}

TEST_F(HubmapKaggleTest, WrongParametersAreRefused) {
  EXPECT_THAT(error_of([&] { make({{"add_fc", true, {}}}); }), HasSubstr("add_fc needs the objects FC"));
  EXPECT_THAT(error_of([&] { make(extra({{"add_fc", true, {}}, {"only_fc", true, {}}})); }), HasSubstr("exclude"));
  EXPECT_THAT(error_of([&] { (void)make(extra())->slides(two); }),
              HasSubstr("is not a folder; expected QuPath exports"));
  EXPECT_THAT(error_of([&] {
                (void)make({{"healthy_class", "helthy", {}}})->slides(two);
              }),
              HasSubstr("did you mean \"healthy\"?"));
}

// The published files, on slides of the sizes that the metadata gives.
TEST_F(HubmapKaggleTest, ReadsThePublishedFiles) {
  const fs::path data = shared_data();
  if (data.empty()) GTEST_SKIP() << "no ../shared/data, and NEPHRON_SHARED is not set";
  fs::copy_file(data / "hubmap-metadata" / metadata_name, root_ / metadata_name, fs::copy_options::overwrite_existing);
  for (const char* file : {"aaa6a05cc.json", "aaa6a05cc-anatomical-structure.json"})
    fs::copy_file(data / "hubmap-metadata" / file, root_ / "train" / file);
  slide("train/aaa6a05cc.tiff", {13013, 18484});
  slide("train/c68fe75ea.tiff", {49780, 26840});
  slide("train/afa5e8098.tiff", {43780, 36800});
  write("train.csv", "id,encoding\nc68fe75ea,\nafa5e8098,\naaa6a05cc,\n");
  fs::remove(root_ / "train/aaa.tiff"), fs::remove(root_ / "train/bbb.tiff");

  const std::vector<std::string> classes{"healthy", "unhealthy", "cortex"};
  Value::Table cortex{{"name", "Cortex", {}}, {"class", "cortex", {}}};
  const auto d = make({{"extra", (data / "hubmap-annotations").string(), {}},
                       {"truth", "polygons", {}},
                       {"structures", Value::Array{Value(cortex)}, {}}});
  const auto slides = d->slides(classes);
  ASSERT_EQ(slides.size(), 3U);
  EXPECT_EQ(find(slides, "c68fe75ea").size, (Size{49780, 26840}));
  EXPECT_EQ(find(slides, "c68fe75ea").donor, "67112");
  EXPECT_THAT(context_.kept.text, HasSubstr("c68fe75ea.tiff has 19780 x 26840 px; its header says 49780 x 26840 px"));
  for (const SlideInfo& info : slides) {
    LabelPainter painter(info.size, 3);
    d->annotate(info, classes, painter);
    EXPECT_FALSE(painter.empty()) << info.id;
  }
  EXPECT_THAT(context_.kept.text, HasSubstr("a LineString is no area"));
  // Glomeruli lie in the cortex.
  const Image l = labels(*d, "aaa6a05cc", classes);
  std::int64_t healthy = 0, unhealthy = 0, in_cortex = 0;
  for (std::int64_t y = 0; y < l.size().height; ++y)
    for (std::int64_t x = 0; x < l.size().width; ++x) {
      const int v = at(l, x, y);
      healthy += v & 1, unhealthy += v >> 1 & 1, in_cortex += (v & 5) == 5;
    }
  EXPECT_GT(healthy, 1000000);
  EXPECT_GT(unhealthy, 10000);
  EXPECT_GT(static_cast<double>(in_cortex), 0.9 * static_cast<double>(healthy));
}

}  // namespace
}  // namespace nephron::host
