// Two types of one name in one namespace make a program whose behaviour the linker chooses. Finds such pairs in the
// host and the SDK by reading the sources; what stands in a nameless namespace or in a function is its file's own.
#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

namespace fs = std::filesystem;
using Tokens = std::vector<std::string>;

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

// The place after a string, a character or a comment that starts at i; i itself when none does.
std::size_t skip_text(std::string_view s, std::size_t i) {
  const auto after = [&](std::string_view end, std::size_t from) {
    const std::size_t found = s.find(end, from);
    return found == std::string_view::npos ? s.size() : found + end.size();
  };
  if (s.substr(i, 2) == "//") return after("\n", i);
  if (s.substr(i, 2) == "/*") return after("*/", i + 2);
  if (s.substr(i, 2) == "R\"") {
    const std::size_t open = s.find('(', i);
    if (open == std::string_view::npos) return s.size();
    return after(")" + std::string(s.substr(i + 2, open - i - 2)) + "\"", open);
  }
  const bool quote = s[i] == '"' || (s[i] == '\'' && (i == 0 || !is_word(s[i - 1])));  // not the ' of 1'000
  if (!quote) return i;
  std::size_t j = i + 1;
  while (j < s.size() && s[j] != s[i] && s[j] != '\n') j += s[j] == '\\' ? 2 : 1;
  return std::min(j + 1, s.size());
}

// Words and single signs, without comments, texts and preprocessor lines.
Tokens tokens_of(std::string_view s) {
  Tokens out;
  bool line_start = true;
  for (std::size_t i = 0; i < s.size();) {
    if (line_start && s[i] == '#') {
      while (i < s.size() && s[i] != '\n') i += s[i] == '\\' ? 2 : 1;
      continue;
    }
    if (const std::size_t next = skip_text(s, i); next != i) {
      i = next;
      continue;
    }
    if (std::isspace(static_cast<unsigned char>(s[i])) != 0) {
      line_start = line_start || s[i] == '\n';
      ++i;
      continue;
    }
    line_start = false;
    std::size_t end = i + 1;
    if (is_word(s[i]))
      while (end < s.size() && is_word(s[end])) ++end;
    out.emplace_back(s.substr(i, end - i));
    i = end;
  }
  return out;
}

// The place after the bracket that closes the one at i.
std::size_t after_bracket(const Tokens& t, std::size_t i, const char* open, const char* close) {
  int depth = 0;
  for (; i < t.size(); ++i) {
    if (t[i] == open) ++depth;
    if (t[i] == close && --depth == 0) return i + 1;
  }
  return i;
}

// The type that a statement before "{" defines; "" when it defines none, or a specialisation.
std::string type_of(const Tokens& t) {
  std::size_t i = 0;
  while (i < t.size() && t[i] == "template") i = after_bracket(t, i + 1, "<", ">");
  static const std::set<std::string> kinds{"class", "struct", "union", "enum"};
  if (i >= t.size() || !kinds.contains(t[i])) return "";
  if (++i < t.size() && kinds.contains(t[i])) ++i;
  std::string name;
  const auto qualifies = [&t](std::size_t at) { return at + 2 < t.size() && t[at] == ":" && t[at + 1] == ":"; };
  for (; i < t.size() && (t[i] != ":" || qualifies(i)) && t[i] != "final"; ++i) {
    if (qualifies(i)) {  // struct Outer::Inner
      name += "::" + t[i + 2];
      i += 2;
    } else if (t[i] == "[") {
      i = after_bracket(t, i, "[", "]") - 1;
    } else if (t[i] == "alignas") {
      i = after_bracket(t, i + 1, "(", ")") - 1;
    } else if (is_word(t[i].front())) {
      name = t[i];  // a macro of visibility stands before it
    } else {
      return "";  // a function, a variable or a specialisation
    }
  }
  return name;
}

// Qualified names of the types that a file defines in named namespaces.
std::set<std::string> types_of(std::string_view source) {
  constexpr const char* hidden = "";
  std::set<std::string> out;
  std::vector<std::string> scopes;  // "name::" of a namespace; hidden: all that is inside is of no interest
  Tokens statement;
  for (const std::string& token : tokens_of(source)) {
    if (token == "}") {
      if (!scopes.empty()) scopes.pop_back();
      statement.clear();
    } else if (token == ";") {
      statement.clear();
    } else if (token != "{") {
      statement.push_back(token);
    } else {
      std::string scope = hidden;
      const std::size_t first = !statement.empty() && statement[0] == "inline" ? 1 : 0;
      if (statement.size() > first && statement[first] == "namespace") {
        for (std::size_t i = first + 1; i < statement.size(); ++i)
          if (statement[i] != ":") scope += statement[i] + "::";
      } else if (std::find(scopes.begin(), scopes.end(), hidden) == scopes.end()) {
        std::string name = type_of(statement);
        for (auto it = scopes.rbegin(); it != scopes.rend() && !name.empty(); ++it) name = *it + name;
        if (!name.empty()) out.insert(name);
      }
      scopes.push_back(scope);
      statement.clear();
    }
  }
  return out;
}

bool is_test(const std::string& file) { return file.ends_with("_test.cpp"); }

// "nephron::A: defined in host/a.hpp and host/b.hpp". Two tests are two programs and do not meet.
std::vector<std::string> pairs(const fs::path& root) {
  std::map<std::string, std::set<std::string>> files;
  for (const char* top : {"host", "sdk/include", "sdk/src", "sdk/conformance"}) {
    if (!fs::exists(root / top)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(root / top)) {
      const std::string extension = entry.path().extension().string();
      const std::string file = entry.path().lexically_relative(root).string();
      if (extension != ".cpp" && extension != ".hpp" && extension != ".cu") continue;
      if (file.starts_with("sdk/conformance/faults/")) continue;  // a plugin each
      std::ifstream in(entry.path());
      const std::string text((std::istreambuf_iterator<char>(in)), {});
      for (const std::string& type : types_of(text)) files[type].insert(file);
    }
  }
  std::vector<std::string> out;
  for (const auto& [type, where] : files) {
    if (where.size() < 2 || std::all_of(where.begin(), where.end(), is_test)) continue;
    std::string text = type + ": defined in ";
    for (const std::string& file : where) text += (file == *where.begin() ? "" : " and ") + file;
    out.push_back(text);
  }
  return out;
}

TEST(OneDefinition, EveryTypeOfTheRepositoryHasOne) {
  ASSERT_TRUE(fs::exists(fs::path(NEPHRON_SOURCE_DIR) / "sdk/include/nephron/plugin.hpp"));
  EXPECT_THAT(pairs(NEPHRON_SOURCE_DIR), testing::IsEmpty());
}

TEST(OneDefinition, TheReaderKnowsTypesFromWhatLooksLikeThem) {
  EXPECT_THAT(types_of(R"(
    namespace a::b {
    struct Forward;
    class NEPHRON_API Plain final : public Base<int> { struct Inner { int x; }; };
    template <class T, class... U> struct alignas(32) Generic { enum { none }; };
    template <> struct Generic<int> {};
    struct Plain::Later : Base {};
    enum class Kind : std::uint8_t { one, two };
    struct stat info = {};
    struct Made function(int) { struct Local {}; return {}; }
    const char* text = "struct Quoted {";  // struct Commented {
    const char letter = '{', number = 1'000;
    namespace { struct Own {}; }
    namespace c { struct Deep {}; }
    }
    #define MACRO struct InMacro {
    struct Global {};
  )"),
              testing::UnorderedElementsAre("a::b::Plain", "a::b::Plain::Later", "a::b::Generic", "a::b::Kind",
                                            "a::b::c::Deep", "Global"));
}

TEST(OneDefinition, PairsAreFound) {
  const fs::path root = fs::path(testing::TempDir()) / ("one-definition-" + std::to_string(::getpid()));
  const auto plant = [&](const char* file, const char* text) {
    fs::create_directories((root / file).parent_path());
    std::ofstream(root / file) << text;
  };
  plant("host/store/grid.hpp", "namespace nephron::host { struct TileGrid { int a; }; }");
  plant("host/predict/grid.cpp", "namespace nephron { namespace host { class TileGrid { double b; }; } }");
  plant("host/feed/grid.cpp", "namespace nephron::host { namespace { struct TileGrid {}; } struct TileGrid; }");
  plant("host/a_test.cpp", "namespace nephron { struct Fixture {}; }");
  plant("host/b_test.cpp", "namespace nephron { struct Fixture {}; }");
  EXPECT_THAT(pairs(root), testing::ElementsAre(
                               "nephron::host::TileGrid: defined in host/predict/grid.cpp and host/store/grid.hpp"));
  fs::remove_all(root);
}

}  // namespace
