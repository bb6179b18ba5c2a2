#include <nephron/slide_files.hpp>

#include <algorithm>
#include <cctype>

#include <nephron/error.hpp>

namespace nephron {

namespace fs = std::filesystem;

namespace {

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

/// Of the longest ending that the name has; 0 when it has none.
std::size_t ending_length(const std::string& name, const std::vector<std::string>& endings) {
  std::size_t out = 0;
  const std::string text = lower(name);
  for (const std::string& ending : endings)
    if (text.size() > ending.size() && text.ends_with(lower(ending))) out = std::max(out, ending.size());
  return out;
}

template <class Iterator>
void collect(const fs::path& folder, const std::vector<std::string>& endings, std::vector<fs::path>& out) {
  std::error_code error;
  for (Iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (!name.starts_with(".") && ending_length(name, endings) > 0 && !at->is_directory(error))
      out.push_back(at->path());
  }
  if (error) throw Error("cannot read the folder " + folder.string() + ": " + error.message());
}

}  // namespace

std::vector<fs::path> slide_files(const fs::path& folder, const std::vector<std::string>& endings, bool below) {
  std::vector<fs::path> out;
  if (below) collect<fs::recursive_directory_iterator>(folder, endings, out);
  else collect<fs::directory_iterator>(folder, endings, out);
  std::sort(out.begin(), out.end(), [](const fs::path& a, const fs::path& b) {
    return std::pair(a.filename(), a) < std::pair(b.filename(), b);
  });
  return out;
}

std::string slide_id(const fs::path& file, const std::vector<std::string>& endings) {
  const std::string name = file.filename().string();
  return name.substr(0, name.size() - ending_length(name, endings));
}

bool read_header(SlideInfo& info, SlideOpener& opener, std::string_view reader) try {
  const auto slide = opener.open(info.source, reader);
  info.size = slide->size();
  if (info.mpp <= 0) info.mpp = slide->header().mpp;
  return true;
} catch (const Cancelled&) {
  throw;
} catch (const std::exception&) {
  return false;
}

}  // namespace nephron
