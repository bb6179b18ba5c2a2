#include <tests/support/dataset_fixture.hpp>

namespace nephron::host {
namespace {

using testing::AllOf;
using testing::HasSubstr;

const std::vector<std::string> two{"healthy", "unhealthy"};

class HubmapPortalTest : public DatasetFixture {
 protected:
  HubmapPortalTest() : DatasetFixture("hubmap_portal") {}
};

TEST_F(HubmapPortalTest, SlidesArePredictedOrTrainedOn) {
  slide("VAN0003-LK-32-21-PAS_registered.ome.tif", {412, 415});
  slide("b/VAN0011-RK-3-10-PAS_registered.OME.TIFF", {370, 532});
  slide("plain.tif", {4, 4});
  write("annotations/VAN0003-LK-32-21-PAS_registered.json", objects({{"G", 10, 10, 9}, {"FC", 50, 10, 4}}));
  const auto d = make();
  const auto slides = d->slides(two);
  ASSERT_EQ(slides.size(), 2U);
  EXPECT_EQ(slides[0].id, "VAN0003-LK-32-21-PAS_registered");
  EXPECT_EQ(slides[0].donor, "VAN0003");
  EXPECT_EQ(slides[0].group, "portal");
  EXPECT_EQ(slides[0].mpp, 0.5);
  EXPECT_EQ(slides[1].id, "VAN0011-RK-3-10-PAS_registered");
  EXPECT_EQ(slides[1].donor, "VAN0011");
  EXPECT_TRUE(d->annotated(slides[0]));
  EXPECT_FALSE(d->annotated(slides[1]));
  EXPECT_EQ(d->open(slides[1])->size(), (Size{370, 532}));
  const Image l = labels(*d, slides[0].id, two);
  EXPECT_EQ(count(l, 1), 100);
  EXPECT_EQ(count(l, 2), 25);
  EXPECT_EQ(count(labels(*d, slides[1].id, two), 0), 370 * 532);
}

TEST_F(HubmapPortalTest, AFolderWithoutSlidesShowsTheLayout) {
  slide("plain.tif", {4, 4});
  EXPECT_THAT(error_of([&] { (void)make()->slides(two); }),
              AllOf(HasSubstr("holds no slide; expected VAN0003"), HasSubstr("portal.hubmapconsortium.org")));
}

}  // namespace
}  // namespace nephron::host
