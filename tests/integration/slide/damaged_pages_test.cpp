// Slides from scanners with damage in any of their pages' directories: pixels or an Error that names the file, within
// limits of time and memory. NEPHRON_TRIES=20000 makes a campaign of it.
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nephron/error.hpp>
#include <nephron/image.hpp>
#include <nephron/rng.hpp>

#include <host/plugins/guard.hpp>
#include <host/slides/opener.hpp>
#include <host/util/files.hpp>
#include <tests/support/campaign.hpp>
#include <tests/support/put_file.hpp>
#include <tests/support/shared_data.hpp>

namespace nephron::host {
namespace {

namespace fs = std::filesystem;

/// Where the entries of a classic little-endian TIFF's directories stand, and where what they point to stands.
struct Page {
  struct Entry {
    std::size_t at = 0;                       ///< tag, type, count, value: 2 + 2 + 4 + 4 bytes
    std::size_t values = 0, value_bytes = 0;  ///< elsewhere; 0: in the entry
    std::uint32_t tag = 0;
  };
  std::size_t at = 0;
  std::vector<Entry> entries;
};

std::size_t number_at(const std::string& file, std::size_t at, int bytes) {
  std::size_t out = 0;
  for (int i = bytes - 1; i >= 0; --i)
    out = out << 8 | static_cast<std::uint8_t>(file.at(at + static_cast<std::size_t>(i)));
  return out;
}

std::vector<Page> pages_of(const std::string& file) {
  constexpr std::size_t type_bytes[] = {1, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8};
  std::vector<Page> out;
  for (std::size_t at = number_at(file, 4, 4); at != 0;) {
    Page page{at, {}};
    const std::size_t count = number_at(file, at, 2);
    for (std::size_t i = 0; i < count; ++i) {
      Page::Entry e{at + 2 + 12 * i, 0, 0, 0};
      e.tag = static_cast<std::uint32_t>(number_at(file, e.at, 2));
      const std::size_t bytes = type_bytes[number_at(file, e.at + 2, 2) % 13] * number_at(file, e.at + 4, 4);
      if (bytes > 4) e.values = number_at(file, e.at + 8, 4), e.value_bytes = bytes;
      page.entries.push_back(e);
    }
    at = number_at(file, at + 2 + 12 * count, 4);
    out.push_back(std::move(page));
  }
  return out;
}

void put(std::string& file, std::size_t at, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) file.at(at + static_cast<std::size_t>(i)) = static_cast<char>(value >> (8 * i));
}

std::uint64_t odd_number(Rng& rng, std::size_t file_bytes) {
  const std::uint64_t odd[] = {0,          1,
                               2,          3,
                               4,          5,
                               7,          8,
                               16,         17,
                               0x7f,       0x80,
                               0xff,       0x100,
                               0x7fff,     0x8000,
                               0xffff,     0x10000,
                               1 << 24,    0x7fffffff,
                               0x80000000, 0xfffffff0,
                               0xfffffffe, 0xffffffff,
                               file_bytes, file_bytes - 1};
  const auto n = static_cast<std::size_t>(rng.integer(0, static_cast<std::int64_t>(std::size(odd))));
  return n < std::size(odd) ? odd[n] : rng.bits();
}

/// Changes one number of a directory, of what it points to, or of the start of coded pixels.
void damage(std::string& file, const std::vector<Page>& pages, Rng& rng) {
  const auto pick = [&](std::size_t size) {
    return static_cast<std::size_t>(rng.integer(0, static_cast<std::int64_t>(size) - 1));
  };
  const Page& page = pages[pick(pages.size())];
  const Page::Entry& e = page.entries[pick(page.entries.size())];
  const std::uint64_t odd = odd_number(rng, file.size());
  const double what = rng.uniform();
  if (what < 0.35) put(file, e.at + 8, odd, 4);                                                             // value
  else if (what < 0.45) put(file, e.at + 2, 4, 2), put(file, e.at + 8, odd, 4);                             // a LONG
  else if (what < 0.6) put(file, e.at + 4, odd, 4);                                                         // count
  else if (what < 0.7) put(file, e.at + 2, static_cast<std::uint64_t>(rng.integer(0, 19)), 2);              // type
  else if (what < 0.75) put(file, e.at, static_cast<std::uint64_t>(rng.integer(254, 340)), 2);              // tag
  else if (what < 0.8) put(file, page.at + 2 + 12 * page.entries.size(), pages[pick(pages.size())].at, 4);  // next
  else if (what < 0.83) put(file, page.at, odd, 2);  // number of entries
  else if (e.value_bytes > 0 && e.values + e.value_bytes <= file.size())
    put(file, e.values + pick(e.value_bytes) / 4 * 4 % (e.value_bytes - 3), odd, what < 0.9 ? 4 : 1);
  else file[pick(file.size())] = static_cast<char>(odd);
}

class DamagedPages : public testing::Test {
 protected:
  DamagedPages() {
    std::string name = (fs::temp_directory_path() / "nephron-pages-XXXXXX").string();
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  ~DamagedPages() override { fs::remove_all(folder_); }

  static PluginSearch search() {
    PluginSearch out;
    out.command_line = {NEPHRON_PLUGIN_FILE};
    out.folders = false;
    return out;
  }

  /// "" where pixels come of the file or an Error that names it.
  std::string read(const fs::path& file, Rng& rng) {
    try {
      const auto slide = opener_.open(file, "tiff");
      for (std::size_t l = 0; l < slide->header().levels.size(); ++l) {
        const Size s = slide->header().levels[l].size;
        const Size part{std::min<std::int64_t>(s.width, 50), std::min<std::int64_t>(s.height, 40)};
        for (int n = 0; n < 2; ++n) {
          const Region r{n == 0 ? s.width - part.width : rng.integer(0, s.width - part.width),
                         n == 0 ? s.height - part.height : rng.integer(0, s.height - part.height), part.width,
                         part.height};
          const Image out(part, 3);
          slide->read_level(static_cast<int>(l), r, out.view());
        }
      }
      ++read_;
    } catch (const PluginError& e) {
      return std::string("no Error of the reader: ") + e.what();
    } catch (const Error& e) {
      if (std::string(e.what()).find(file.filename()) == std::string::npos) return std::string("no name: ") + e.what();
    } catch (const std::exception& e) {
      return std::string("no Error: ") + e.what();
    }
    return "";
  }

  fs::path folder_;
  Registry registry_{search()};
  ReaderOpener opener_{registry_};
  int read_ = 0;
};

constexpr const char* slides[] = {"cmu-1-small-region.svs", "tcga-cr-7395-01a-01-ts1.svs"};

// Each page in turn says that it has as many rows as can be: libtiff cannot read such a page, and asked for the places
// of the page before it ended the program.
TEST_F(DamagedPages, APageOfTooManyRowsIsLeftOutOrRefused) {
  if (shared_data().empty()) GTEST_SKIP() << no_shared_data;
  for (const char* name : slides) {
    const std::string sound = read_file(shared_data() / "slides" / name);
    const std::vector<Page> pages = pages_of(sound);
    const auto problems = campaign(0, static_cast<std::int64_t>(pages.size()), {}, [&](std::int64_t n) {
      std::string bytes = sound;
      for (const Page::Entry& e : pages[static_cast<std::size_t>(n)].entries)
        if (e.tag == 257) put(bytes, e.at + 2, 4, 2), put(bytes, e.at + 8, 0xffffffff, 4);
      put_file(folder_ / name, bytes);
      Rng rng(1, "rows", 0, static_cast<std::uint64_t>(n));
      std::string problem = read(folder_ / name, rng);
      if (problem.empty() && n > 0 && read_ == 0) problem = "page 0 is sound and was not read";
      return problem;
    });
    EXPECT_THAT(problems, testing::IsEmpty()) << name;
  }
}

TEST_F(DamagedPages, AnyDamageIsReadOrRefused) {
  if (shared_data().empty()) GTEST_SKIP() << no_shared_data;
  std::vector<std::string> sound;
  std::vector<std::vector<Page>> pages;
  for (const char* name : slides) {
    sound.push_back(read_file(shared_data() / "slides" / name));
    pages.push_back(pages_of(sound.back()));
  }
  const fs::path file = folder_ / "damaged.svs";
  const auto problems = campaign(0, tries(300), {}, [&](std::int64_t n) {
    Rng rng(5, "pages", 0, static_cast<std::uint64_t>(n));
    // The slide in JPEG three times as often as the one in JPEG 2000, whose pixels take their time.
    const std::size_t which = n % 4 == 0 ? 1 : 0;
    std::string bytes = sound[which];
    for (std::int64_t k = rng.integer(1, 3); k > 0; --k) damage(bytes, pages[which], rng);
    if (rng.chance(0.03))
      bytes.resize(static_cast<std::size_t>(rng.integer(0, static_cast<std::int64_t>(bytes.size()))));
    put_file(file, bytes);
    return read(file, rng);
  });
  EXPECT_THAT(problems, testing::IsEmpty());
}

}  // namespace
}  // namespace nephron::host
