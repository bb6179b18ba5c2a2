#include <host/runs/validation_files.hpp>

#include <gtest/gtest.h>

#include <tests/support/put_file.hpp>
#include <tests/support/scratch_folder.hpp>

namespace nephron::host {
namespace {

namespace fs = std::filesystem;
using Map = ValidationFiles::Map;

class OfValidation : public testing::Test {
 protected:
  fs::path put(const std::string& name) const {
    const fs::path file = scratch_.path() / name;
    fs::create_directories(file.parent_path());
    put_file(file, "x");
    return file;
  }
  ScratchFolder scratch_{"validation-files"};
  const ValidationFiles one_{scratch_.path(), false}, several_{scratch_.path(), true};
};

TEST_F(OfValidation, SlidesOfTwoDatasetsNeverShareAFile) {
  const ValidationFiles::Slide slide{"a", "b-c"}, other{"a-b", "c"};
  EXPECT_EQ(several_.map(Map::masks, "x y", slide), scratch_.path() / "masks/x_y/a/b-c.png");
  EXPECT_EQ(several_.map(Map::masks, "x y", other), scratch_.path() / "masks/x_y/a-b/c.png");
  EXPECT_EQ(several_.measures(slide), scratch_.path() / "measures/a/b-c.json");
  EXPECT_EQ(one_.map(Map::probabilities, "x", slide), scratch_.path() / "probabilities/x/b-c.png");
  EXPECT_EQ(one_.measures(slide), scratch_.path() / "measures/b-c.json");
}

TEST_F(OfValidation, FormerNamesAreRead) {
  const ValidationFiles::Slide slide{"a", "b-c"};
  EXPECT_EQ(several_.map_there(Map::masks, "x", slide), fs::path());
  EXPECT_EQ(several_.measures_there(slide), fs::path());
  const fs::path former = put("masks/x/a-b-c.png"), measures = put("measures/a-b-c.json");
  EXPECT_EQ(several_.map_there(Map::masks, "x", slide), former);
  EXPECT_EQ(several_.measures_there(slide), measures);
  EXPECT_EQ(one_.map_there(Map::masks, "x", slide), fs::path());
  const fs::path now = put("masks/x/a/b-c.png");
  EXPECT_EQ(several_.map_there(Map::masks, "x", slide), now) << "what was written last";
  const fs::path tiff = put("probabilities/x/b-c.tif");
  EXPECT_EQ(one_.map_there(Map::probabilities, "x", slide), tiff);
}

TEST_F(OfValidation, NamesStayInTheirFolder) {
  put("secret.png");
  for (const char* id : {"../../secret", "..", ".", "", "/etc/passwd", "a/../../../secret"}) {
    const ValidationFiles::Slide slide{"..", id};
    for (const ValidationFiles* files : {&one_, &several_}) {
      EXPECT_EQ(files->map_there(Map::masks, "x", slide), fs::path()) << id;
      const fs::path to = files->map(Map::masks, "..", slide).lexically_relative(scratch_.path() / "masks");
      EXPECT_EQ(to.lexically_normal(), to) << id;
      EXPECT_NE(*to.begin(), "..") << id;
    }
  }
}

}  // namespace
}  // namespace nephron::host
