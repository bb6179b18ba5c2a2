// What a store is told by its records: which files are ours, where sources are now, what is of another version.
#include <fstream>

#include <host/store/inventory.hpp>
#include <host/store/marker.hpp>
#include <host/util/command_output.hpp>

#include "store_fixture.hpp"

namespace nephron::host {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

using StoreRecordsTest = StoreFixture;

TEST_F(StoreRecordsTest, OnlyWhatWeWroteIsRemoved) {
  write_pair("a", 300, 200);
  write_pair("b", 300, 200);
  prepare_all();
  const fs::path a = picture_of("a").path(), b = picture_of("b").path(), outside = root_ / "outside";
  std::ofstream(a / "notes.txt") << "mine";
  EXPECT_THAT(remove_folder(StoreFolder(a)), ElementsAre((a / "notes.txt").string()));
  EXPECT_THAT(std::vector<fs::path>(fs::directory_iterator(a), {}), ElementsAre(a / "notes.txt"));
  // A folder outside, through a link in the place of a picture, and of all pictures.
  fs::create_directories(outside / "pictures");
  fs::copy(b, outside / "pictures/slide", fs::copy_options::recursive);
  fs::create_directory_symlink(outside / "pictures/slide", b.parent_path() / "link");
  fs::create_directory_symlink(outside / "pictures", store_ / "link");
  EXPECT_THROW(remove_folder(StoreFolder(b.parent_path() / "link")), Error);
  EXPECT_THROW(remove_folder(StoreFolder(store_ / "link/slide")), Error);
  EXPECT_TRUE(fs::exists(outside / "pictures/slide/picture-2.json"));
  for (const StoredFolder& stored : list_store(store_))
    EXPECT_THAT(stored.folder.path(), testing::AnyOf(b, labels_of("a").path(), labels_of("b").path()));
  // A record that is not ours.
  for (const char* name : {"picture-2.json", "picture-4.json"}) std::ofstream(b / name) << "{\"title\": \"my slides\"}";
  EXPECT_THROW(remove_folder(StoreFolder(b)), Error);
  EXPECT_TRUE(fs::exists(b / "picture-2.tiff"));
}

TEST_F(StoreRecordsTest, AStoreThatMovesWithItsSourcesPreparesNoPicture) {
  write_pair("a", 300, 200);
  prepare_all();
  const fs::path place = root_ / "moved";
  fs::create_directories(place);
  for (const char* name : {"images", "masks", "store"}) fs::rename(root_ / name, place / name);
  experiment_.datasets[0].component.params.set("root", place.string());
  experiment_.data.store = store_ = place / "store";
  EXPECT_EQ(prepare_all().pictures, 0) << "its place beside the store is as it was";
  // Another time: the content decides, once.
  for (const char* file : {"images/a.png", "masks/a.png"})
    fs::last_write_time(place / file, fs::file_time_type::clock::now());
  const Listing listing(experiment_, registry_);
  const LabelsPlace labels = labels_place(listing, listing.slides()[0]);
  const PictureWish wish = picture_wish(listing, listing.slides()[0]);
  const auto stale = [&](Compare compare) {
    return !labels.folder.stale(labels.wish, compare).empty() || !known_picture(labels)->stale(wish, compare).empty();
  };
  EXPECT_TRUE(stale(Compare::stamps));
  EXPECT_FALSE(stale(Compare::when_in_doubt));
  const StoreOutcome outcome = prepare_all();
  EXPECT_EQ(outcome.made, 0);
  EXPECT_EQ(outcome.kept, 1);
  EXPECT_FALSE(stale(Compare::stamps)) << "the records were told";
}

TEST_F(StoreRecordsTest, ASourceThatMovesAloneIsFoundByItsContent) {
  write_pair("a", 300, 200);
  write_pair("b", 301, 200);
  prepare_all();
  const fs::path place = root_ / "elsewhere";
  fs::create_directories(place);
  for (const char* name : {"images", "masks"}) fs::rename(root_ / name, place / name);
  experiment_.datasets[0].component.params.set("root", place.string());
  EXPECT_EQ(prepare_all().pictures, 0);
  EXPECT_EQ(prepare_all().kept, 2);
  EXPECT_EQ(folders("pictures", "a").size(), 1U);
  // A copy is a file of its own, and its picture too: neither could tell which of the two has changed.
  fs::copy(place, root_ / "copy", fs::copy_options::recursive);
  experiment_.datasets[0].component.params.set("root", (root_ / "copy").string());
  EXPECT_EQ(prepare_all().pictures, 2);
  EXPECT_EQ(folders("pictures", "a").size(), 2U);
  EXPECT_EQ(prepare_all().kept, 2);
}

TEST_F(StoreRecordsTest, ASourceIsTheSameHoweverItIsSpelt) {
  write_pair("a", 300, 200);
  prepare_all();
  const fs::path here = fs::current_path();
  const Listing listing(experiment_, registry_);
  PictureWish wish = picture_wish(listing, listing.slides()[0]);
  fs::current_path(root_);
  fs::create_directory_symlink(root_ / "images", root_ / "pictures");
  for (const fs::path source : {"images/a.png", "masks/../images/a.png", "pictures/a.png"}) {
    wish.source = source;
    EXPECT_THAT(picture_of("a").stale(wish, Compare::stamps), IsEmpty()) << source;
  }
  fs::current_path(here);
  EXPECT_EQ(picture_of("a").record(2)->source.path, fs::canonical(root_ / "images/a.png"));
}

TEST_F(StoreRecordsTest, APictureOfAnotherVersionOfItsReaderIsMadeAgain) {
  write_pair("a", 300, 200);
  prepare_all();
  const PictureFolder folder = picture_of("a");
  PictureRecord record = *folder.record(2);
  EXPECT_EQ(record.reader, "dataset image_folder 1.0.0");
  record.reader = "dataset image_folder 0.9.0";
  write_file_atomically(folder.record_file(2), record.to_json());
  StoreOutcome outcome = prepare_all();
  EXPECT_EQ(outcome.pictures, 1);
  EXPECT_EQ(folder.record(2)->reader, "dataset image_folder 1.0.0");
  record.reader = "reader that_is_gone 0.9.0";  // what cannot be read anew stays in use
  write_file_atomically(folder.record_file(2), record.to_json());
  EXPECT_EQ(prepare_all().kept, 1);
}

/// A store as version 1 had it: DATASET-KEY/SLIDE, all factors in one file, records of format 1.
void write_version_1(const fs::path& store, const std::string& slide) {
  const fs::path folder = store / "folder-1a2b3c4d" / slide;
  fs::create_directories(folder);
  std::ofstream(store / store_marker) << R"({"format": 1, "what": "slides prepared by nephron"})";
  std::ofstream(folder / "slide.json") << R"({
  "format": 1, "tool": "nephron 0.1.0", "dataset": "folder", "slide": ")"
                                       << slide << R"(",
  "source": {"path": "/slides/a.png", "relative": "../a.png", "bytes": 1, "mtime_ns": 1, "sha256": ""},
  "size": [300, 200], "mpp": 0.0, "factors": [2, 4], "bytes": 12, "digest": "d", "tissue_block": 1,
  "tissue_threshold": 10, "tissue": {"2": 5, "4": 1}})";
  std::ofstream(folder / "labels-0123abcd.json") << R"({"format": 1, "tool": "nephron 0.1.0"})";
  for (const char* name : {"picture.tiff", "tissue.png", "labels-0123abcd.tiff"}) std::ofstream(folder / name) << "old";
}

TEST_F(StoreRecordsTest, AStoreOfVersion1IsPreparedAgainWithAWord) {
  write_pair("a", 300, 200);
  for (const bool marked : {true, false}) {
    fs::remove_all(store_);
    write_version_1(store_, "a");
    if (!marked) fs::remove(store_ / store_marker);  // older still
    EXPECT_EQ(store_state(store_), StoreState::earlier);
    testing::internal::CaptureStderr();
    const StoreOutcome outcome = prepare_all();
    const std::string said = testing::internal::GetCapturedStderr();
    EXPECT_THAT(said, HasSubstr("was made by an earlier version of nephron: slides are prepared again"));
    EXPECT_EQ(outcome.made, 1);
    EXPECT_EQ(outcome.pictures, 1);
    EXPECT_EQ(store_state(store_), StoreState::current);
    EXPECT_EQ(prepare_all().kept, 1);
    const fs::path old = store_ / "folder-1a2b3c4d/a";
    EXPECT_EQ(read_file(old / "picture.tiff"), "old") << "nothing of it is read or written";
    const auto stored = list_store(store_);
    ASSERT_EQ(stored.size(), 3U);
    EXPECT_TRUE(stored[0].earlier);
    EXPECT_THAT(remove_folder(stored[0].folder), IsEmpty());
    EXPECT_FALSE(fs::exists(old.parent_path()));
  }
  // A later version is left alone.
  std::ofstream(store_ / store_marker) << R"({"format": 3})";
  EXPECT_THROW(prepare_all(), Error);
}

TEST_F(StoreRecordsTest, ARecordThatIsNoneIsNamed) {
  write_pair("a", 300, 200);
  prepare_all();
  const PictureFolder folder = picture_of("a");
  const Listing listing(experiment_, registry_);
  const auto why = [&] {
    const auto parts = folder.stale(picture_wish(listing, listing.slides()[0]), Compare::stamps);
    return parts.empty() ? std::string() : parts.front().why;
  };
  EXPECT_EQ(why(), "");
  write_file_atomically(folder.record_file(2), "{");
  EXPECT_EQ(why(), "picture-2.json is damaged");
  fs::remove(folder.record_file(2));
  EXPECT_EQ(why(), "reduction 2 is missing");
  fs::create_directory(folder.record_file(2));
  for (const StoredFolder& stored : list_store(store_))
    if (stored.folder.path() == folder.path()) {
      EXPECT_THAT(stored.problems, ElementsAre(HasSubstr("picture-2.json is no plain file")));
    }
}

// Records are texts that anybody may have changed: what is not a record of ours is made anew, never believed.
TEST_F(StoreRecordsTest, WrongRecordsAreMadeAnew) {
  write_pair("a", 300, 200);
  prepare_all();
  const auto good = contents();
  const fs::path picture = picture_of("a").record_file(2), labels = labels_of("a").record_file(2);
  const auto spoilt = [&](const fs::path& file, const std::string& from, const std::string& to) {
    std::string text = read_file(file);
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    write_file_atomically(file, text.replace(at, from.size(), to));
    EXPECT_EQ(prepare_all().made, 1) << from << " -> " << to;
    EXPECT_EQ(contents(), good) << from << " -> " << to;
  };
  spoilt(picture, "\"format\": 2", "\"format\": 1");
  spoilt(picture, "\"format\": 2", "\"format\": 99999999999999999999999999");
  spoilt(picture, "\"reduction\": 2", "\"reduction\": 4");
  spoilt(picture, "\"reduction\": 2", "\"reduction\": -2");
  spoilt(picture, "\"reduction\": 2", "\"reduction\": 1e300");
  spoilt(picture, "    300,", "    -300,");
  spoilt(picture, "\"what\": \"picture\"", "\"what\": \"labels\"");
  spoilt(labels, "\"picture\": \"a-", "\"picture\": \"../a-");
  spoilt(labels, "\"picture\": \"a-", "\"picture\": \"b-");
  spoilt(labels, "\"classes\": [", "\"classes\": [\"x\", ");
  spoilt(labels, "\"reduction\": 2", "\"reduction\": null");
  for (const fs::path& file : {picture, labels}) {
    write_file_atomically(file, std::string(300000, '['));
    EXPECT_EQ(prepare_all().made, 1);
    std::ofstream(file, std::ios::binary).seekp((1 << 24) + 10) << "x";  // larger than any record
    EXPECT_EQ(prepare_all().made, 1);
    EXPECT_EQ(contents(), good);
  }
}

}  // namespace
}  // namespace nephron::host
