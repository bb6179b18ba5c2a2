#include <host/util/view_link.hpp>

#include <gtest/gtest.h>

namespace nephron::host {
namespace {

TEST(ViewLink, NamesASlideAPlaceAndAZoom) {
  EXPECT_EQ(view_link("a-1_b.svs", 1200.04, 900, 2800, 700), "#slide=a-1_b.svs&x=1200.0&y=900.0&z=-2");
  EXPECT_EQ(view_link("a", 0, 0, 2801, 700), "#slide=a&x=0.0&y=0.0&z=-3") << "all of it is in sight";
}

TEST(ViewLink, ZoomStaysWhereSomethingCanBeSeen) {
  EXPECT_EQ(view_link("a", 5, 5, 3, 700), "#slide=a&x=5.0&y=5.0&z=1");
  EXPECT_EQ(view_link("a", 5, 5, 0, 300), "#slide=a&x=5.0&y=5.0&z=1");
  EXPECT_EQ(view_link("a", 5, 5, 1e30, 300), "#slide=a&x=5.0&y=5.0&z=-20");
}

TEST(ViewLink, NothingOfANameIsMoreThanAName) {
  EXPECT_EQ(view_link("a&x=1#%\"<\xc3\xa9 /", 0, 0, 700, 700),
            "#slide=a%26x%3D1%23%25%22%3C%C3%A9%20%2F&x=0.0&y=0.0&z=0");
}

}  // namespace
}  // namespace nephron::host
