#include <opencv2/imgcodecs.hpp>

#include <nephron/fingerprint.hpp>
#include <nephron/fold_rules.hpp>
#include <nephron/image_cv.hpp>

#include <tests/support/dataset_fixture.hpp>

namespace nephron::host {
namespace {

using testing::AllOf;
using testing::HasSubstr;

const std::vector<std::string> two{"healthy", "unhealthy"};

class PseudoLabelsTest : public DatasetFixture {
 protected:
  PseudoLabelsTest() : DatasetFixture("pseudo_labels") {
    slide("aaa.tiff", {40, 30});
    slide("bbb.tiff", {20, 10});
    prediction("p0", {"x", "y"});
  }
  /// As `nephron predict` writes it: a map of aaa whose columns are 0, 6, 12, ...
  void prediction(const std::string& name, const std::vector<std::string>& trained_on) {
    std::string list;
    for (const auto& id : trained_on) list += (list.empty() ? "\"" : ", \"") + id + "\"";
    write(name + "/predict.json", R"({"classes": ["healthy one"], "trained_on": [)" + list + "]}");
    write(name + "/pictures/aaa.json", R"({"fingerprint": ")" + fingerprint(*opener_.open(root_ / "aaa.tiff")) + "\"}");
    cv::Mat map(30, 40, CV_8U);
    for (int y = 0; y < 30; ++y)
      for (int x = 0; x < 40; ++x) map.at<std::uint8_t>(y, x) = static_cast<std::uint8_t>(x * 6);
    std::filesystem::create_directories(root_ / name / "probabilities/healthy_one");
    ASSERT_TRUE(cv::imwrite((root_ / name / "probabilities/healthy_one/aaa.png").string(), map));
  }
  std::shared_ptr<Dataset> make_of(const std::vector<std::string>& folders, Value::Table params = {}) {
    Value::Array maps;
    for (const auto& f : folders) maps.emplace_back((root_ / f).string());
    params.push_back({"maps", Value(std::move(maps)), {}});
    return make(std::move(params));
  }
};

TEST_F(PseudoLabelsTest, SoftLabelsAreTheProbabilities) {
  const auto d = make_of({"p0"});
  const auto slides = d->slides(two);
  ASSERT_EQ(slides.size(), 1U);  // bbb has no map
  EXPECT_EQ(slides[0].id, "aaa");
  EXPECT_EQ(slides[0].group, "pseudo");
  LabelPainter painter({40, 30}, 2);
  d->annotate(slides[0], two, painter);
  EXPECT_EQ(painter.soft_classes(), 1U);
  const Image soft = painter.soft(1).at(0);
  for (int x = 0; x < 40; ++x) EXPECT_EQ(at(soft, x, 7), x * 6);
  const auto rules = d->targets(two);  // the map in both channels, the unhealthy one without weight
  EXPECT_EQ(rules[0].any_of, 1U);
  EXPECT_EQ(rules[0].weight, 1);
  EXPECT_EQ(rules[1].any_of, 1U);
  EXPECT_EQ(rules[1].weight, 0);
}

TEST_F(PseudoLabelsTest, HardLabelsAndTheCut) {
  const Image hard = labels(*make_of({"p0"}, {{"hard", true, {}}}), "aaa", two);
  EXPECT_EQ(at(hard, 21, 3), 0);  // 126 of 255
  EXPECT_EQ(at(hard, 22, 3), 1);
  LabelPainter painter({40, 30}, 2);
  const auto d = make_of({"p0"}, {{"cut", 0.4, {}}, {"label_class", "unhealthy", {}}});
  d->annotate(d->slides(two).at(0), two, painter);
  const Image soft = painter.soft(1).at(1);
  EXPECT_EQ(at(soft, 16, 0), 0);
  EXPECT_EQ(at(soft, 17, 0), 102);
  EXPECT_EQ(d->targets(two)[0].weight, 0);
  EXPECT_EQ(d->targets(two)[1].weight, 1);
}

TEST_F(PseudoLabelsTest, MapsOfLargeSlidesAreTiffs) {
  const auto folder = root_ / "p0/probabilities/healthy_one";
  write("p0/probabilities/healthy_one/aaa.tif", "40 30 grey");  // read as slides are
  std::filesystem::remove(folder / "aaa.png");
  const auto d = make_of({"p0"});
  LabelPainter painter({40, 30}, 2);
  d->annotate(d->slides(two).at(0), two, painter);
  const Image soft = painter.soft(1).at(0);
  for (int x = 0; x < 40; ++x) EXPECT_EQ(at(soft, x, 7), 128);
  write("p0/probabilities/healthy_one/aaa.tif", "40 30");
  EXPECT_THAT(error_of([&] { d->annotate(d->slides(two).at(0), two, painter); }), HasSubstr("no map of 8-bit"));
}

TEST_F(PseudoLabelsTest, EachFoldHasItsMaps) {
  prediction("p1", {"z"});
  const auto d = make_of({"p0", "p1"});
  const auto slides = d->slides(two);
  ASSERT_EQ(slides.size(), 2U);
  EXPECT_EQ(slides[0].id, "aaa@fold0");
  EXPECT_EQ(slides[1].id, "aaa@fold1");
  const auto* rules = dynamic_cast<const FoldRules*>(d.get());
  ASSERT_NE(rules, nullptr);
  EXPECT_EQ(rules->only_fold(slides[1]), 1);
  SlideInfo x, z;
  x.id = "x", z.id = "z";
  EXPECT_NO_THROW(rules->require_unseen(0, {z}));
  EXPECT_NO_THROW(rules->require_unseen(1, {x}));
  EXPECT_THAT(error_of([&] {
                rules->require_unseen(0, {z, x});
              }),
              AllOf(HasSubstr("trained on \"x\", which fold 0 is validated on"), HasSubstr("allow_leak = true")));
  EXPECT_THAT(error_of([&] { rules->require_unseen(2, {}); }), HasSubstr("maps has 2 folders, but fold 2 is trained"));
  prediction("p1", {"z@fold1"});  // learnt from maps of z
  EXPECT_THAT(error_of([&] { rules->require_unseen(1, {z}); }), HasSubstr("trained on \"z\", which fold 1"));
  const auto allowed = make_of({"p0"}, {{"allow_leak", true, {}}});
  EXPECT_NO_THROW(dynamic_cast<const FoldRules&>(*allowed).require_unseen(3, {x}));
  EXPECT_THAT(context_.kept.text, HasSubstr("warning: the maps in"));
}

TEST_F(PseudoLabelsTest, AMapOfAnotherSlideIsRefused) {
  const auto d = make_of({"p0"});
  write("p0/pictures/aaa.json", R"({"fingerprint": "0123456789abcdef"})");
  EXPECT_THAT(error_of([&] { labels(*d, "aaa", two); }),
              AllOf(HasSubstr("were made of another slide \"aaa\""), HasSubstr("0123456789abcdef")));
  prediction("p0", {});
  slide("aaa.tiff", {41, 30});
  EXPECT_THAT(error_of([&] { labels(*d, "aaa", two); }), HasSubstr("another slide"));
}

TEST_F(PseudoLabelsTest, WhatIsNoPredictionIsRefused) {
  const auto fault = [&](const std::string& folder) { return error_of([&] { (void)make_of({folder})->slides(two); }); };
  EXPECT_THAT(fault("none"), AllOf(HasSubstr("predict.json is not there"), HasSubstr("nephron predict")));
  write("old/predict.json", R"({"classes": ["healthy"]})");
  EXPECT_THAT(fault("old"), AllOf(HasSubstr("no usable \"trained_on\""), HasSubstr("--overwrite")));
  write("bad/predict.json", "{");
  EXPECT_THAT(fault("bad"), HasSubstr("is not what nephron predict writes"));
  write("empty/predict.json", R"({"classes": ["healthy"], "trained_on": []})");
  EXPECT_THAT(fault("empty"), HasSubstr("no slide of"));
  EXPECT_THAT(error_of([&] {
                (void)make_of({"p0"}, {{"map_class", "x", {}}})->slides(two);
              }),
              HasSubstr("no maps of class \"x\"; it has \"healthy one\""));
}

TEST(Fingerprint, TellsPixelsAndSizes) {
  const auto of = [](Size size, int odd) {
    return fingerprint(size, [&](const Region& r, const ImageView& out) {
      for (std::int64_t y = 0; y < r.height; ++y)
        for (std::int64_t i = 0; i < r.width * 3; ++i)
          out.row<std::uint8_t>(y)[i] = static_cast<std::uint8_t>(r.x + r.y + y == odd ? 1 : 0);
    });
  };
  EXPECT_EQ(of({400, 300}, -1), of({400, 300}, -1));
  EXPECT_NE(of({400, 300}, -1), of({300, 400}, -1));
  EXPECT_NE(of({400, 300}, -1), of({400, 300}, 5));
  EXPECT_EQ(of({1, 1}, -1).size(), 16U);
}

}  // namespace
}  // namespace nephron::host
