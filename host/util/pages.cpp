#include <host/util/pages.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

fs::path package_root() {
  std::error_code failed;
  return fs::read_symlink("/proc/self/exe", failed).parent_path().parent_path();
}

fs::path program_file() { return package_root() / "bin" / "nephron"; }

std::string page(const std::string& name) {
  std::error_code failed;
  const fs::path installed = package_root() / "share" / "doc" / "nephron" / "docs" / name;
  if (fs::exists(installed, failed)) return installed.string();
  return (fs::path(NEPHRON_SOURCE_DOCS) / name).string();
}

fs::path experiments_folder() {
  std::error_code failed;
  const fs::path installed = package_root() / "share" / "nephron" / "experiments";
  if (fs::is_directory(installed, failed)) return installed;
  return (fs::path(NEPHRON_SOURCE_DOCS) / ".." / "experiments").lexically_normal();
}

std::string rules_page(const std::string& text) {
  return text.find("SDK rule") == std::string::npos ? "" : "\n  The SDK's rules: " + page("plugins.md");
}

}  // namespace nephron::host
