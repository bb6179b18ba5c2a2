// Each boundary type of the SDK has its key functions, vtable and typeinfo in one of the two SDK libraries: otherwise
// every plugin would carry a copy of its own, dynamic_cast and catch would fail across files, and abidiff would be
// blind.
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace {

namespace fs = std::filesystem;

std::string output_of(const std::string& command) {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  std::string out;
  std::array<char, 4096> buffer;
  while (const std::size_t n = std::fread(buffer.data(), 1, buffer.size(), pipe.get())) out.append(buffer.data(), n);
  return out;
}

struct Symbol {
  char type;
  std::string name;
};

std::vector<Symbol> exported(const std::string& library) {
  std::istringstream lines(output_of(NEPHRON_NM " -D --defined-only --demangle '" + library + "'"));
  static const std::regex form(R"(^[0-9a-f]+ (\w) (.*)$)");
  std::vector<Symbol> out;
  std::smatch m;
  for (std::string line; std::getline(lines, line);) {
    if (std::regex_match(line, m, form)) out.push_back({m[1].str()[0], m[2]});
  }
  return out;
}

struct BoundaryType {
  std::string name;
  std::string header;
  bool polymorphic = false;
};

// Classes that the headers mark with NEPHRON_API, so that a new one cannot be forgotten here.
std::vector<BoundaryType> boundary_types() {
  static const std::regex head(R"(^class NEPHRON_API (\w+)[^;]*\{?$)");
  std::vector<BoundaryType> out;
  for (const auto& entry : fs::directory_iterator(fs::path(NEPHRON_SOURCE_DIR) / "sdk/include/nephron")) {
    if (entry.path().extension() != ".hpp") continue;
    std::ifstream in(entry.path());
    bool inside = false;
    for (std::string line; std::getline(in, line);) {
      std::smatch m;
      if (std::regex_match(line, m, head)) {
        out.push_back({m[1], entry.path().filename().string()});
        inside = true;
      } else if (line == "};") {
        inside = false;
      } else if (inside && !line.starts_with("    virtual") &&  // of a class inside this one
                 (line.find("virtual") != std::string::npos || line.find("override") != std::string::npos)) {
        out.back().polymorphic = true;
      }
    }
  }
  return out;
}

bool has(const std::vector<Symbol>& symbols, const std::string& start) {
  for (const Symbol& s : symbols) {
    if (s.name.starts_with(start)) return true;
  }
  return false;
}

TEST(ExportedSymbols, EveryBoundaryTypeHasItsKeyFunctionsInOneLibrary) {
  const std::array libraries{exported(NEPHRON_SDK_LIBRARY), exported(NEPHRON_TORCH_LIBRARY)};
  const std::vector<BoundaryType> types = boundary_types();
  ASSERT_GT(types.size(), 10u) << "the headers were not understood";
  for (const BoundaryType& type : types) {
    std::vector<std::string> wanted{"nephron::" + type.name + "::"};
    if (type.polymorphic) {
      wanted.push_back("nephron::" + type.name + "::~" + type.name + "()");
      wanted.push_back("typeinfo for nephron::" + type.name);
      wanted.push_back("vtable for nephron::" + type.name);
    }
    for (const std::string& symbol : wanted) {
      EXPECT_EQ(has(libraries[0], symbol) + has(libraries[1], symbol), 1)
          << symbol << " (" << type.header << "): define a destructor or another member in sdk/src/keys.cpp, or in "
          << "sdk/src/torch_keys.cpp when the type needs tensors; exactly one library was expected to export it";
    }
  }
}

// Weak symbols (W, V, u) are instantiations of other libraries' templates; everything else must be ours.
TEST(ExportedSymbols, NothingElseIsExported) {
  for (const std::string library : {NEPHRON_SDK_LIBRARY, NEPHRON_TORCH_LIBRARY}) {
    for (const Symbol& s : exported(library)) {
      if (std::string("WVuA").find(s.type) != std::string::npos) continue;
      EXPECT_NE(s.name.find("nephron"), std::string::npos) << library << " exports " << s.type << " " << s.name;
    }
  }
}

TEST(ExportedSymbols, SonameIsTheMajorVersion) {
  EXPECT_NE(
      output_of(NEPHRON_READELF " -d '" NEPHRON_SDK_LIBRARY "'").find("[libnephron_sdk.so." NEPHRON_SOVERSION "]"),
      std::string::npos);
  EXPECT_NE(
      output_of(NEPHRON_READELF " -d '" NEPHRON_TORCH_LIBRARY "'").find("[libnephron_torch.so." NEPHRON_SOVERSION "]"),
      std::string::npos);
}

}  // namespace
