#include <host/plugins/elf_records.hpp>

#include <cstring>
#include <filesystem>

#include <elf.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <nephron/error.hpp>
#include <nephron/rng.hpp>

#include <host/util/files.hpp>

namespace nephron::host {
namespace {

const std::filesystem::path good = NEPHRON_BUILD_DIR "/fixtures/plugins/good.so";

/// A file in memory: thousands of them are written here.
struct Scratch {
  int descriptor = ::memfd_create("nephron_elf", MFD_CLOEXEC);
  std::filesystem::path file = "/proc/self/fd/" + std::to_string(descriptor);
  Scratch() = default;
  Scratch(const Scratch&) = delete;
  ~Scratch() { ::close(descriptor); }
  void write(const std::string& bytes) const {
    ASSERT_EQ(::ftruncate(descriptor, 0), 0);
    ASSERT_EQ(::pwrite(descriptor, bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
  }
  std::string refusal() const {
    try {
      read_records(file);
    } catch (const Error& e) {
      std::string text = e.what();
      if (text.starts_with(file.string())) text.erase(0, file.string().size() + 1);
      return text;
    }
    return "(read)";
  }
};

template <class T>
T at(const std::string& bytes, std::size_t offset) {
  T out;
  std::memcpy(&out, bytes.data() + offset, sizeof out);
  return out;
}

template <class T>
void put(std::string& bytes, std::size_t offset, const T& value) {
  std::memcpy(bytes.data() + offset, &value, sizeof value);
}

TEST(ElfRecords, ReadsWhatTheMacrosWrote) {
  const PluginRecords r = read_records(good);
  EXPECT_EQ(r.name, "good");
  EXPECT_EQ(r.version, "1.2.3");
  EXPECT_EQ(r.sdk_major, unsigned{NEPHRON_SDK_MAJOR});
  EXPECT_EQ(r.sdk_minor, unsigned{NEPHRON_SDK_MINOR});
  EXPECT_EQ(r.torch, "");
  EXPECT_EQ(r.compiler, NEPHRON_COMPILER_ROW);
  EXPECT_EQ(r.cxx_abi, NEPHRON_ABI_ROW);
  EXPECT_EQ(r.build, NEPHRON_BUILD_ROW);
  ASSERT_EQ(r.components.size(), 1u);
  EXPECT_EQ(r.components[0].kind, "augmentation");
  EXPECT_EQ(r.components[0].name, "fixture_turn");
  EXPECT_EQ(r.components[0].doc, "Turns the picture about its centre");
  EXPECT_FALSE(r.imports.empty());
}

TEST(ElfRecords, SaysWhatTheFileIsInstead) {
  const Scratch s;
  EXPECT_THROW(read_records("/nonexistent/plugin.so"), Error);
  EXPECT_THROW(read_records("/dev"), Error);
  s.write("");
  EXPECT_EQ(s.refusal(), "is empty");
  s.write("#!/bin/sh\necho plugin\n");
  EXPECT_EQ(s.refusal(), "is not an ELF file");
  s.write(
      "\x7f"
      "ELF");
  EXPECT_EQ(s.refusal(), "is cut short: its ELF header should be 64 bytes at byte 0, but the file has 4");
}

TEST(ElfRecords, RefusesEveryTruncation) {
  const Scratch s;
  const std::string whole = read_file(good);
  for (std::size_t size = 0; size < whole.size(); size += size < 128 ? 1 : 61) {
    s.write(whole.substr(0, size));
    EXPECT_NE(s.refusal(), "(read)") << "cut to " << size << " of " << whole.size();
  }
}

TEST(ElfRecords, RefusesOtherElfFiles) {
  const Scratch s;
  const std::string whole = read_file(good);
  std::string other = whole;
  put<Elf64_Half>(other, offsetof(Elf64_Ehdr, e_machine), EM_SPARC);
  s.write(other);
  EXPECT_EQ(s.refusal(), "is built for another processor");
  other = whole;
  put<Elf64_Half>(other, offsetof(Elf64_Ehdr, e_type), ET_REL);
  s.write(other);
  EXPECT_EQ(s.refusal(), "is an ELF file, but not a shared object");
  other = whole;
  put<Elf64_Off>(other, offsetof(Elf64_Ehdr, e_shoff), ~Elf64_Off{0} - 8);
  s.write(other);
  EXPECT_NE(s.refusal().find("is cut short: its section table"), std::string::npos) << s.refusal();
}

TEST(ElfRecords, RefusesForgedSections) {
  const Scratch s;
  const std::string whole = read_file(good);
  const auto header = at<Elf64_Ehdr>(whole, 0);
  // Sizes near 2^64 and offsets whose sum wraps around must be refused, not added up.
  int refused = 0;
  for (unsigned i = 0; i < header.e_shnum; ++i) {
    const std::size_t where = header.e_shoff + i * sizeof(Elf64_Shdr);
    auto section = at<Elf64_Shdr>(whole, where);
    for (const std::uint64_t size :
         {~std::uint64_t{0}, ~std::uint64_t{0} - section.sh_offset + 1, std::uint64_t{1} << 40}) {
      std::string forged = whole;
      section.sh_size = size;
      put(forged, where, section);
      s.write(forged);
      refused += s.refusal() != "(read)";
    }
  }
  EXPECT_GE(refused, 3 * 4);  // plugin record, component records, section names, symbols
  std::string forged = whole;
  put<Elf64_Half>(forged, offsetof(Elf64_Ehdr, e_shnum), 0);
  auto first = at<Elf64_Shdr>(whole, header.e_shoff);
  first.sh_size = std::uint64_t{1} << 50;
  put(forged, header.e_shoff, first);
  s.write(forged);
  EXPECT_EQ(s.refusal(), "is damaged: its header claims 1125899906842624 sections");
}

TEST(ElfRecords, RefusesTextThatATerminalWouldObey) {
  const Scratch s;
  std::string bytes = read_file(good);
  const std::size_t doc = bytes.find("Turns the picture");
  ASSERT_NE(doc, std::string::npos);
  for (const std::string& evil : {std::string("\x1b[2J"), std::string("\xff\xfe"), std::string("\xc2\x9b")}) {
    std::string forged = bytes;
    forged.replace(doc, evil.size(), evil);
    s.write(forged);
    EXPECT_EQ(s.refusal(), "is damaged: the doc in its plugin record is not a text");
  }
  bytes.replace(doc, 5, "T\xc3\xbcrn");
  s.write(bytes);
  EXPECT_EQ(s.refusal(), "(read)");
}

TEST(ElfRecords, RefusesRandomBytes) {
  const Scratch s;
  const std::string whole = read_file(good);
  Rng rng(7, "random bytes");
  for (int i = 0; i < 2000; ++i) {
    // Nothing, the magic number, or a whole header of an ELF file comes first.
    std::string bytes = whole.substr(0, i % 3 == 0 ? 0 : i % 3 == 1 ? SELFMAG : sizeof(Elf64_Ehdr));
    for (std::int64_t n = rng.integer(0, 400); n > 0; --n) bytes += static_cast<char>(rng.bits());
    s.write(bytes);
    EXPECT_NE(s.refusal(), "(read)");
  }
}

// Any bytes give records or an Error: never a crash (the sanitiser builds watch), never another exception.
TEST(ElfRecords, SurvivesFiveThousandMutations) {
  const Scratch s;
  const std::string whole = read_file(good);
  const auto header = at<Elf64_Ehdr>(whole, 0);
  Rng rng(20240607, "elf mutations");
  int read = 0;
  int refused = 0;
  const auto last = static_cast<std::int64_t>(whole.size()) - 1;
  for (int i = 0; i < 5000; ++i) {
    std::string bytes = whole;
    const std::int64_t changes = rng.integer(1, 8);
    for (std::int64_t k = 0; k < changes; ++k) {
      // Half of the changes hit the headers, where they hurt; the rest hit anything.
      const std::int64_t table = static_cast<std::int64_t>(header.e_shoff);
      const std::int64_t place = rng.chance(0.2)   ? rng.integer(0, 63)
                                 : rng.chance(0.4) ? rng.integer(std::min(table, last), last)
                                                   : rng.integer(0, last);
      bytes[static_cast<std::size_t>(place)] =
          static_cast<char>(rng.chance(0.3) ? (rng.chance(0.5) ? 0xff : 0) : rng.integer(0, 255));
    }
    if (rng.chance(0.1)) bytes.resize(static_cast<std::size_t>(rng.integer(0, last)));
    s.write(bytes);
    try {
      const PluginRecords records = read_records(s.file);
      EXPECT_FALSE(records.name.empty());
      ++read;
    } catch (const Error& e) {
      EXPECT_FALSE(std::string(e.what()).empty());
      ++refused;
    }
  }
  EXPECT_GT(read, 500);
  EXPECT_GT(refused, 500);
}

}  // namespace
}  // namespace nephron::host
