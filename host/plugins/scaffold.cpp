#include <host/plugins/scaffold.hpp>

#include <cctype>
#include <set>

#include <nephron/error.hpp>

#include <host/util/files.hpp>
#include <host/util/pages.hpp>
#include <host/util/usage_error.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

/// share/nephron/template of the installed tree, or the source folder when this program runs in its build tree.
fs::path template_folder(const std::string& kind) {
  std::error_code failed;
  const fs::path root = package_root();
  for (const fs::path& place : {root / "share" / "nephron" / "template", fs::path(NEPHRON_SOURCE_TEMPLATES)})
    if (fs::is_directory(place / kind, failed)) return place / kind;
  throw Error("there is no template for a " + kind + " in " + (root / "share" / "nephron" / "template").string(),
              "install nephron again");
}

/// "my-focal" as "MyFocal".
std::string class_name(const std::string& name) {
  std::string out;
  bool begins = true;
  for (const char c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) {
      begins = true;
      continue;
    }
    out += begins ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
    begins = false;
  }
  return out;
}

void require_name(const std::string& name) {
  const bool fits = name.size() <= 60 && !name.empty() && name[0] >= 'a' && name[0] <= 'z' &&
                    name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-") == std::string::npos;
  if (!fits)
    throw UsageError(
        "\"" + name +
        "\" cannot be the name of a component: it begins with a-z and goes on with a-z, 0-9, _ and - (60 at most)");
}

/// CMake keeps some names for targets of its own.
void require_target_name(const std::string& name) {
  static const std::set<std::string> taken{"all",           "clean",   "depend",         "edit_cache",
                                           "help",          "install", "package",        "preinstall",
                                           "rebuild_cache", "test",    "package_source", "list_install_components"};
  if (taken.contains(name))
    throw UsageError("\"" + name + "\" cannot be the name of a plugin: CMake keeps it for a target of its own",
                     "take another, such as \"my-" + name + "\"");
}

std::string filled(std::string text, const std::string& placeholder, const std::string& value) {
  for (std::size_t at = text.find(placeholder); at != std::string::npos; at = text.find(placeholder, at + value.size()))
    text.replace(at, placeholder.size(), value);
  return text;
}

}  // namespace

std::vector<fs::path> write_new_plugin(const std::string& kind, const std::string& name, const fs::path& folder) {
  require_name(name);
  require_target_name(name);
  const fs::path from = template_folder(kind);
  std::vector<std::pair<fs::path, std::string>> files;
  for (const char* file : {"CMakeLists.txt", "NAME.cpp"}) {
    const fs::path to = folder / (std::string(file) == "NAME.cpp" ? name + ".cpp" : file);
    if (fs::exists(to))
      throw Error(to.string() + " is there already and is not overwritten",
                  "name another folder: plugins new " + kind + " " + name + " FOLDER");
    files.emplace_back(to, filled(filled(read_file(from / file), "@NAME@", name), "@CLASS@", class_name(name)));
  }
  std::error_code failed;
  fs::create_directories(folder, failed);
  if (failed) throw Error("cannot make the folder " + folder.string() + ": " + failed.message());
  std::vector<fs::path> out;
  for (const auto& [file, text] : files) {
    write_file_atomically(file, text);
    out.push_back(file);
  }
  return out;
}

}  // namespace nephron::host
