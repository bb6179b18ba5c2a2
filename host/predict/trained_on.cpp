#include <host/predict/trained_on.hpp>

#include <optional>
#include <set>
#include <utility>

#include <host/data/fold_slides.hpp>
#include <host/util/files.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

using Folds = std::set<int>;

/// A dataset may list one slide once a fold, as ID@foldK.
std::string without_fold(const std::string& id) {
  const std::size_t at = id.rfind("@fold");
  return at == std::string::npos ? id : id.substr(0, at);
}

/// A dataset in several folders has the folder in its ids; a picture is called as the file.
std::string last_part(const std::string& id) { return id.substr(id.rfind('/') + 1); }

class Slides {
 public:
  void add(const SlideEntry& slide, int fold) {
    names_[last_part(without_fold(slide.id))].insert(fold);
    if (slide.source.empty()) return;
    std::error_code failed;
    const fs::path file = fs::weakly_canonical(slide.source, failed);
    if (failed) return;
    Folds& folds = files_[file];
    if (folds.empty())
      if (const auto size = size_of(file)) sizes_[*size].push_back(file);
    folds.insert(fold);
  }

  std::optional<TrainedOn> find(const PictureFile& picture) {
    std::error_code failed;
    const fs::path file = fs::weakly_canonical(picture.file, failed);
    if (const auto same = files_.find(file); !failed && same != files_.end()) return known(same->second, "file");
    if (const Folds folds = equal_files(file); !folds.empty()) return known(folds, "content");
    if (const auto same = names_.find(picture.id); same != names_.end()) return known(same->second, "name");
    return std::nullopt;
  }

 private:
  static TrainedOn known(const Folds& folds, const char* by) { return {{folds.begin(), folds.end()}, by}; }

  static std::optional<std::uintmax_t> size_of(const fs::path& file) {
    std::error_code failed;
    if (!fs::is_regular_file(file, failed)) return std::nullopt;
    const std::uintmax_t size = fs::file_size(file, failed);
    return failed ? std::nullopt : std::optional(size);
  }

  const std::string& digest(const fs::path& file) {
    std::string& known = digests_[file];
    if (known.empty()) known = sha256_of(file);
    return known;
  }

  Folds equal_files(const fs::path& file) {
    Folds out;
    const auto size = size_of(file);
    if (!size || !sizes_.contains(*size)) return out;
    for (const fs::path& other : sizes_.at(*size)) try {
        if (digest(other) == digest(file)) out.insert(files_.at(other).begin(), files_.at(other).end());
      } catch (const std::exception&) {  // a file that cannot be read: its name may still tell
      }
    return out;
  }

  std::map<std::string, Folds> names_;
  std::map<fs::path, Folds> files_;
  std::map<std::uintmax_t, std::vector<fs::path>> sizes_;
  std::map<fs::path, std::string> digests_;
};

}  // namespace

std::map<std::string, TrainedOn> find_trained_on(const RunFolder& run, const std::vector<int>& folds,
                                                 const std::vector<PictureFile>& pictures) {
  Slides slides;
  for (const int k : folds)
    if (const fs::path file = run.fold(k).slides(); fs::exists(file))
      for (const SlideEntry& slide : read_fold_slides(file).trained_on) slides.add(slide, k);
  std::map<std::string, TrainedOn> out;
  for (const PictureFile& picture : pictures)
    if (auto found = slides.find(picture)) out[picture.id] = *std::move(found);
  return out;
}

}  // namespace nephron::host
