#include <opencv2/imgcodecs.hpp>

#include <nephron/coco_rle.hpp>
#include <nephron/dataset_check.hpp>
#include <nephron/parameter_check.hpp>
#include <nephron/parameter_error.hpp>

#include <tests/support/damaged.hpp>
#include <tests/support/dataset_fixture.hpp>
#include <tests/support/put_file.hpp>

namespace nephron::host {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

const std::vector<std::string> two{"healthy", "unhealthy"};
const std::string categories = R"("categories": [{"id": 1, "name": "Healthy"}, {"id": 7, "name": "unhealthy"}])";

class CocoTest : public DatasetFixture {
 protected:
  CocoTest() : DatasetFixture("coco") {}

  void picture(const std::string& name, int width = 40, int height = 30) {
    fs::create_directories((root_ / "images" / name).parent_path());
    ASSERT_TRUE(cv::imwrite((root_ / "images" / name).string(), cv::Mat(height, width, CV_8UC3, cv::Scalar(3, 2, 1))));
  }
  /// Lists of entries to a file.
  static std::string coco(const std::string& images, const std::string& annotations,
                          const std::string& of = categories) {
    return R"({"images": [)" + images + R"(], "annotations": [)" + annotations + "], " + of + "}";
  }
  static std::string image(int id, const std::string& name, const std::string& more = R"("width": 40, "height": 30)") {
    return R"({"id": )" + std::to_string(id) + R"(, "file_name": ")" + name + "\", " + more + "}";
  }
  static std::string annotation(int id, int image, int category, const std::string& segmentation,
                                const std::string& more = "") {
    return R"({"id": )" + std::to_string(id) + R"(, "image_id": )" + std::to_string(image) + R"(, "category_id": )" +
           std::to_string(category) + R"(, "segmentation": )" + segmentation + more + "}";
  }
  void listing(const std::string& text) { write("annotations.json", text); }

  /// What a file costs: the whole data set, or slide "a" while "b" is as ever.
  std::string fault_of_file(const std::string& text) {
    listing(text);
    return error_of([&] { (void)make()->slides(two); });
  }
  std::string fault_of_slide(const std::string& entry, const std::string& annotations) {
    picture("a.png"), picture("b.png");
    const std::string more = annotations.empty() ? "" : annotations + ", ";
    listing(coco(entry + ", " + image(2, "b.png"), more + annotation(99, 2, 1, square)));
    const auto d = make();
    EXPECT_EQ(count(labels(*d, "b", two), 1), 25);
    EXPECT_NO_THROW((void)d->open(find(d->slides(two), "b")));
    EXPECT_TRUE(d->annotated(d->slides(two).at(0)));
    return error_of([&] {
      LabelPainter painter({40, 30}, 2);
      d->annotate(d->slides(two).at(0), two, painter);
    });
  }
  std::string fault_of_annotation(const std::string& segmentation, const std::string& more = "") {
    return fault_of_slide(image(1, "a.png"), annotation(5, 1, 1, segmentation, more));
  }

  const std::string square = "[[10, 10, 14, 10, 14, 14, 10, 14]]";
};

TEST_F(CocoTest, PolygonsAndRunLengthsBecomeLabels) {
  picture("a.png"), picture("b.jpg");
  const std::string packed = coco_rle_text(Runs{{31, 4}, {300, 60}}, 1200);
  listing(coco(image(3, "b.jpg") + ", " + image(8, "a.png"),
               annotation(1, 8, 1, "[[1, 1, 5, 1, 5, 5, 1, 5], [20.5, 1, 24, 1, 24.9, 5, 20, 5]]") + ", " +
                   annotation(2, 8, 7, R"({"size": [30, 40], "counts": [0, 3, 57, 2, 1138]})", R"(, "iscrowd": 1)") +
                   ", " + annotation(3, 3, 7, R"({"size": [30, 40], "counts": ")" + packed + "\"}")));
  const auto d = make({{"mpp", 0.5, {}}});
  const auto slides = d->slides(two);
  ASSERT_EQ(slides.size(), 2U);
  EXPECT_EQ(slides[0].id, "b");  // in the file's order
  EXPECT_EQ(slides[1].size, (Size{40, 30}));
  EXPECT_EQ(slides[1].mpp, 0.5);
  EXPECT_EQ(slides[1].source, root_ / "images/a.png");
  EXPECT_EQ(slides[1].annotations.at(0), root_ / "annotations.json");
  const Image a = labels(*d, "a", two);
  EXPECT_EQ(count(a, 1), 49);
  EXPECT_EQ(count(a, 2), 4);
  EXPECT_EQ(at(a, 0, 2), 2);
  EXPECT_EQ(at(a, 2, 1), 3);  // both of them
  const Image b = labels(*d, "b", two);
  EXPECT_EQ(count(b, 2), 64);
  EXPECT_EQ(at(b, 1, 1), 2);
  EXPECT_EQ(at(b, 1, 5), 0);
  EXPECT_EQ(at(b, 11, 29), 2);
  Image part({8, 4}, 3);
  d->open(slides[1])->read({30, 20, 8, 4}, part.view());
  EXPECT_EQ(part.view().row<std::uint8_t>(3)[3], 1);  // red first
  EXPECT_EQ(count(labels(*make({{"crowds", false, {}}}), "a", two), 2), 0);
}

TEST_F(CocoTest, CategoriesMayBeIgnored) {
  picture("a.png");
  listing(coco(image(1, "a.png"), annotation(1, 1, 1, square) + ", " +
                                      annotation(2, 1, 7, "[[12, 12, 20, 12, 20, 20, 12, 20]]") + ", " +
                                      annotation(3, 1, 7, R"({"size": [30, 40], "counts": [0, 3, 1197]})")));
  const Image l = labels(*make({{"ignore", Value::Array{"Unhealthy"}, {}}}), "a", two);
  EXPECT_EQ(count(l, 4), 81 + 3);  // polygons and runs
  EXPECT_EQ(count(l, 1), 25 - 9);  // what is ignored has no label
  EXPECT_EQ(at(l, 0, 2), 4);
  EXPECT_EQ(count(labels(*make({{"ignore", Value::Array{"unhealthy"}, {}}}), "a", {"healthy"}), 2), 84)
      << "a name that is ignored needs no class";
}

TEST_F(CocoTest, CategoriesHaveTheClassesThatTheExperimentSays) {
  picture("a.png");
  listing(
      coco(image(1, "a.png"), annotation(1, 1, 1, square) + ", " + annotation(2, 1, 7, "[[1, 1, 3, 1, 3, 3, 1, 3]]")));
  const auto rule = [](const char* name, const char* c) {
    return Value(Value::Table{{"name", name, {}}, {"class", c, {}}});
  };
  const auto with = [&](Value::Array rules) { return make({{"objects", std::move(rules), {}}}); };
  const Image l = labels(*with({rule("healthy", "all"), rule("unhealthy", "all"), rule("unhealthy", "sick")}), "a",
                         {"all", "sick"});
  EXPECT_EQ(count(l, 1), 25);
  EXPECT_EQ(count(l, 3), 9);
  EXPECT_EQ(count(labels(*with({rule("healthy", "all"), rule("unhealthy", "")}), "a", {"all"}), 1), 25);
  // Categories that nothing has may be any.
  listing(coco(image(1, "a.png"), annotation(1, 1, 1, square)));
  EXPECT_EQ(count(labels(*make(), "a", {"healthy"}), 1), 25);
}

TEST_F(CocoTest, UnknownCategoriesAreAFaultOfTheParameters) {
  picture("a.png");
  listing(coco(image(1, "a.png"), annotation(4, 1, 7, square)));
  EXPECT_THROW((void)make()->slides({"healthy"}), ParameterError);
  EXPECT_THAT(error_of([&] { (void)make()->slides({"healthy"}); }),
              AllOf(HasSubstr("annotations.json: annotation 1 (id 4)"), HasSubstr("\"unhealthy\""),
                    HasSubstr("expected one of \"healthy\"")));
  const Value rule(Value::Table{{"name", "unhealthy", {}}, {"class", "sick", {}}});
  EXPECT_THROW((void)make({{"objects", Value::Array{rule}, {}}})->slides(two), ParameterError);
}

TEST_F(CocoTest, AnImageWithoutAnnotationsIsBackground) {
  picture("a.png");
  listing(coco(image(1, "a.png"), ""));
  const auto d = make();
  EXPECT_TRUE(d->annotated(d->slides(two).at(0)));
  LabelPainter painter({40, 30}, 2);
  d->annotate(d->slides(two).at(0), two, painter);
  EXPECT_FALSE(painter.empty());
  EXPECT_EQ(count(painter.labels(1), 0), 1200);
  const auto off = make({{"negatives", false, {}}});
  EXPECT_FALSE(off->annotated(off->slides(two).at(0)));
}

TEST_F(CocoTest, DonorsComeFromNamesOrFromTheEntries) {
  picture("p1/a.png"), picture("p2/a.png");
  const std::string more = R"("width": 40, "height": 30, "patient": )";
  listing(coco(image(1, "p1/a.png", more + "17") + ", " + image(2, "p2/a.png", more + "\"x\""), ""));
  const auto named = make({{"donor", "^(p.)_", {}}, {"group", "p(.)", {}}})->slides(two);
  EXPECT_EQ(named[0].id, "p1_a");
  EXPECT_EQ(named[0].donor, "p1");
  EXPECT_EQ(named[1].group, "2");
  const auto keyed = make({{"donor_key", "patient", {}}})->slides(two);
  EXPECT_EQ(keyed[0].donor, "17");
  EXPECT_EQ(keyed[1].donor, "x");
  EXPECT_THAT(error_of([&] { make({{"donor", "p", {}}}); }), HasSubstr("no group in brackets"));
  EXPECT_THAT(error_of([&] { make({{"donor", "(p)", {}}, {"donor_key", "x", {}}}); }), HasSubstr("exclude each other"));
}

TEST_F(CocoTest, AFaultOfAnAnnotationCostsItsSlide) {
  const std::string where = "annotations.json: annotation 1 (id 5)";
  const auto says = [&](const char* what) { return AllOf(HasSubstr(where), HasSubstr(what)); };
  EXPECT_THAT(fault_of_annotation("[[1, 1, 5, 1]]"), says("three vertices or more"));
  EXPECT_THAT(fault_of_annotation("[[1, 1, 5, 1, 5, 5, 7]]"), says("three vertices or more"));
  EXPECT_THAT(fault_of_annotation("[[1, 1, 5, 1, 5, null]]"), says("a coordinate that is no number"));
  EXPECT_THAT(fault_of_annotation("[[1, 1, 5, 1, 5, 1e300]]"), says("beyond 1e8"));
  EXPECT_THAT(fault_of_annotation("[3]"), says("a polygon is not a list"));
  EXPECT_THAT(fault_of_annotation("[]"), says("a box alone labels no pixels"));
  EXPECT_THAT(fault_of_annotation("\"x\""), says("\"segmentation\" is text; expected a list"));
  EXPECT_THAT(fault_of_annotation(R"({"size": [40, 30], "counts": [1200]})"),
              says("of a mask of [height, width] [40, 30]; the image has [30, 40]"));
  EXPECT_THAT(fault_of_annotation(R"({"size": [30, 40], "counts": [5, -3, 1198]})"),
              says("count 2 of the run lengths (-3)"));
  EXPECT_THAT(fault_of_annotation(R"({"size": [30, 40], "counts": [5, 99999999999999999999]})"),
              says("something that is not a whole number"));
  EXPECT_THAT(fault_of_annotation(R"({"size": [30, 40], "counts": [5, 9223372036854775807]})"),
              says("leaves the mask"));
  EXPECT_THAT(fault_of_annotation(R"({"size": [30, 40], "counts": [5, 6]})"), says("cover 11 pixels"));
  EXPECT_THAT(fault_of_annotation(R"({"size": [30, 40], "counts": "~"})"), says("not of COCO's alphabet"));
  EXPECT_THAT(fault_of_annotation(R"({"size": [30, 40], "counts": {}})"),
              says("\"counts\" is an object; expected a list"));
  EXPECT_THAT(fault_of_annotation(R"({"size": [30, 40]})"), says("there is no \"counts\""));
  EXPECT_THAT(fault_of_annotation(square, R"(, "iscrowd": 2)"), says("\"iscrowd\" is neither 0 nor 1"));
  EXPECT_THAT(fault_of_slide(image(1, "a.png"), annotation(5, 1, 3, square)), says("category_id 3 is none of"));
  EXPECT_THAT(fault_of_slide(image(1, "a.png"), annotation(5, 1, 1, square) + ", " + annotation(5, 1, 1, square)),
              HasSubstr("annotations.json: annotation 2 (id 5): an earlier annotation has this id"));
  EXPECT_THAT(fault_of_slide(image(1, "a.png"), R"({"id": 1.5, "image_id": 1, "category_id": 1, "segmentation": []})"),
              HasSubstr("annotations.json: annotation 1: \"id\" is a number; expected text"));
}

TEST_F(CocoTest, AFaultOfAnEntryCostsItsSlide) {
  const auto says = [](const char* what) {
    return AllOf(HasSubstr("annotations.json: image 1 (id 1)"), HasSubstr(what));
  };
  EXPECT_THAT(fault_of_slide(image(1, "a.png", R"("width": 41, "height": 30)"), ""),
              AllOf(says("has 41 x 30 px, its picture"), HasSubstr("images/a.png has 40 x 30")));
  EXPECT_THAT(fault_of_slide(image(1, "a.png", R"("width": 40)"), ""), says("there is no \"height\""));
  EXPECT_THAT(fault_of_slide(image(1, "a.png", R"("width": "40", "height": 30)"), ""), says("\"width\" is text"));
  EXPECT_THAT(fault_of_slide(image(1, "a.png", R"("width": -40, "height": 30)"), ""), says("-40 x 30 px"));
  EXPECT_THAT(fault_of_slide(image(1, "a.png", R"("width": 4000000000, "height": 4000000000)"), ""),
              says("4000000000"));
  EXPECT_THAT(fault_of_slide(image(1, "../a.png"), ""), says("no file below the folder of pictures"));
  EXPECT_THAT(fault_of_slide(image(1, "/etc/passwd"), ""), says("no file below the folder of pictures"));
  EXPECT_THAT(fault_of_slide(image(1, "a\\u0000.png"), ""), says("holds a zero byte"));
  EXPECT_THAT(fault_of_slide(R"({"id": 1, "width": 40, "height": 30})", ""), says("there is no \"file_name\""));
  EXPECT_THAT(fault_of_slide(image(1, std::string(5000, 'a')), ""), says("longer than 1000 bytes"));
}

TEST_F(CocoTest, PicturesThatAreNotThereOrBrokenCostTheirSlides) {
  picture("b.png");
  write("images/c.png", "no picture");
  listing(coco(image(1, "a.png") + ", " + image(2, "b.png") + ", " + image(3, "c.png"), annotation(1, 2, 1, square)));
  const auto d = make();
  const auto slides = d->slides(two);
  ASSERT_EQ(slides.size(), 3U);
  EXPECT_TRUE(slides[0].size.empty());
  EXPECT_THAT(
      error_of([&] { (void)d->open(slides[0]); }),
      AllOf(HasSubstr("annotations.json: image 1 (id 1): its picture"), HasSubstr("images/a.png is not there")));
  EXPECT_EQ(d->open(slides[1])->size(), (Size{40, 30}));
  EXPECT_THAT(error_of([&] { (void)d->open(slides[2]); }), HasSubstr("c.png: the file is no PNG, JPEG or TIFF"));
}

TEST_F(CocoTest, AFaultOfTheFileCostsAll) {
  const std::string a = image(1, "a.png");
  const auto says = [](const std::string& what) { return HasSubstr("annotations.json" + what); };
  EXPECT_THAT(error_of([&] { (void)make()->slides(two); }), AllOf(HasSubstr("cannot read"), says(": No such file")));
  EXPECT_THAT(fault_of_file(""), says(": byte 1: this is no JSON"));
  EXPECT_THAT(fault_of_file(coco(a, "").substr(0, 40)), says(": byte 41: this is no JSON"));
  EXPECT_THAT(fault_of_file(std::string(1 << 20, '[')), says(": byte 65: lists and objects are nested more than 64"));
  EXPECT_THAT(fault_of_file(coco(R"({"id": 1e999})", "")), says(": byte "));
  EXPECT_THAT(fault_of_file("[]"), says(": expected an object, found a list"));
  EXPECT_THAT(fault_of_file("{}"), says(": there is no \"images\""));
  EXPECT_THAT(fault_of_file(R"({"images": {}, "annotations": [], "categories": []})"),
              says(": \"images\" is an object"));
  EXPECT_THAT(fault_of_file(coco("", "")), says(": \"images\" lists no image"));
  EXPECT_THAT(fault_of_file(coco("3", "")), says(": image 1: expected an object, found a whole number"));
  EXPECT_THAT(fault_of_file(coco(a + ", " + image(1, "b.png"), "")),
              says(": image 2 (id 1): an earlier image has this id"));
  EXPECT_THAT(fault_of_file(coco(a + ", " + image(2, "a.jpg"), "")),
              says(": image 2 (id 2): image 1 is called \"a\" too"));
  EXPECT_THAT(fault_of_file(coco(a, annotation(5, 9, 1, square))),
              says(": annotation 1 (id 5): it is of image 9, which \"images\" does not list"));
  EXPECT_THAT(fault_of_file(coco(a, R"({"id": 5})")), says(": annotation 1 (id 5): there is no \"image_id\""));
  EXPECT_THAT(fault_of_file(coco(a, "", R"("categories": [{"id": 1, "name": "x"}, {"id": 1, "name": "y"}])")),
              says(": category 2 (id 1): an earlier category has this id"));
  EXPECT_THAT(fault_of_file(coco(a, "", R"("categories": [{"id": 1}])")),
              says(": category 1 (id 1): there is no \"name\""));
}

TEST_F(CocoTest, FilesWithoutAPartnerAndPlacesThatAreNotThereAreTold) {
  struct Said final : DatasetFindings, ParameterFaults {
    void finding(const std::string& text) override { findings += text + "\n"; }
    void note(const std::string& text) override { notes += text + "\n"; }
    void add(std::string_view key, const std::string& message, const std::string&) override {
      faults += std::string(key) + ": " + message + "\n";
    }
    std::string findings, notes, faults;
  } said;
  picture("a.png"), picture("more/x.JPG"), picture("y.png");
  write("images/._a.png", "left by a Mac");
  listing(coco(image(1, "./a.png") + ", " + image(2, "b.png"), ""));
  dynamic_cast<const DatasetCheck&>(*make()).check_files(two, said);
  EXPECT_EQ(said.findings, "1 entry has no picture: \"b.png\" in " + (root_ / "images").string() + "\n");
  EXPECT_EQ(said.notes, "2 pictures have no entry in " + (root_ / "annotations.json").string() +
                            ", and are left out: \"more/x.JPG\", \"y.png\"\n");
  const auto faults = [&](Value::Table params) {
    said.faults.clear();
    dynamic_cast<const ParameterCheck&>(*make(std::move(params))).check_parameters(two, said);
    return said.faults;
  };
  EXPECT_EQ(faults({}), "");
  EXPECT_THAT(faults({{"root", (root_ / "none").string(), {}}}),
              HasSubstr("root: \"root\" names a folder that is not"));
  EXPECT_THAT(faults({{"images", "none", {}}, {"file", "none.json", {}}}),
              AllOf(HasSubstr("images: \"images\" names a folder"), HasSubstr("file: \"file\" names what is no file")));
  const Value rule(Value::Table{{"name", "x", {}}, {"class", "sick", {}}});
  EXPECT_THAT(faults({{"objects", Value::Array{rule}, {}}}), HasSubstr("objects: \"sick\" is not one of"));
}

TEST_F(CocoTest, DamagedFilesAreReadOrRefused) {
  picture("a.png"), picture("b.png");
  const std::string whole = coco(image(1, "a.png") + ", " + image(2, "b.png"),
                                 annotation(1, 1, 1, square, R"(, "iscrowd": 0)") + ", " +
                                     annotation(2, 2, 7, R"({"size": [30, 40], "counts": [10, 20, 1170]})") + ", " +
                                     annotation(3, 1, 1, R"({"size": [30, 40], "counts": "o0[1l3"})"));
  const auto read = [&](const std::string& text) {
    put_file(root_ / "annotations.json", text);
    const auto d = make();
    int lost = 0;
    for (const SlideInfo& slide : d->slides(two)) try {
        LabelPainter painter(slide.size.empty() ? Size{40, 30} : slide.size, 2);
        d->annotate(slide, two, painter);
        (void)painter.labels(1);
        (void)d->open(slide);
      } catch (const ParameterError&) {
        throw;
      } catch (const Error& e) {
        EXPECT_THAT(e.what(), HasSubstr(root_.string()));
        ++lost;
      }
    return lost;
  };
  put_file(root_ / "annotations.json", whole);
  int lost = 0;
  const Outcomes found = read_damaged(3000, {whole}, json_damage(), HasSubstr("annotations.json"),
                                      [&](const std::string& text) { lost += read(text); });
  EXPECT_GT(found.refused, 1000);
  EXPECT_GT(found.read, 50);
  EXPECT_GT(lost, 20);
}

}  // namespace
}  // namespace nephron::host
