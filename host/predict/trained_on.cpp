#include <host/predict/trained_on.hpp>

#include <set>

#include <host/util/files.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

/// A dataset may list one slide once a fold, as ID@foldK.
std::string without_fold(const std::string& id) {
  const std::size_t at = id.rfind("@fold");
  return at == std::string::npos ? id : id.substr(0, at);
}

/// A dataset in several folders has the folder in its ids; a picture is called as the file.
std::string last_part(const std::string& id) { return id.substr(id.rfind('/') + 1); }

/// Empty where there is none.
fs::path place_of(const fs::path& file) {
  std::error_code failed;
  const fs::path out = file.empty() ? fs::path() : fs::weakly_canonical(file, failed);
  return failed ? fs::path() : out;
}

/// Empty where it has none.
std::string size_of(const fs::path& file) {
  std::error_code failed;
  if (!fs::is_regular_file(file, failed)) return {};
  const std::uintmax_t size = fs::file_size(file, failed);
  return failed ? std::string() : std::to_string(size);
}

}  // namespace

TrainedSlides::TrainedSlides(const RunFolder& run, const std::vector<int>& folds) {
  for (const int k : folds)
    if (const fs::path file = run.fold(k).slides(); fs::exists(file))
      for (const SlideEntry& slide : read_fold_slides(file).trained_on) add(slide, k);
}

void TrainedSlides::add(const SlideEntry& slide, int fold) {
  const std::size_t i = slides_.size();
  slides_.push_back({last_part(without_fold(slide.id)), slide.picture, place_of(slide.source), slide.reduction, fold});
  const Slide& s = slides_.back();
  by_name_[s.name].push_back(i);
  if (!s.digest.empty()) by_digest_[s.digest].push_back(i);
  if (s.file.empty()) return;
  by_file_[s.file.string()].push_back(i);
  if (const std::string size = size_of(s.file); !size.empty()) by_size_[size].push_back(i);
}

template <class Counts>
std::optional<TrainedOn> TrainedSlides::known(const Index& index, const std::string& key, const char* by,
                                              const Counts& counts) const {
  const auto found = index.find(key);
  if (found == index.end()) return std::nullopt;
  std::set<int> folds;
  for (const std::size_t i : found->second)
    if (counts(slides_[i])) folds.insert(slides_[i].fold);
  return folds.empty() ? std::nullopt : std::optional(TrainedOn{{folds.begin(), folds.end()}, by});
}

std::optional<TrainedOn> TrainedSlides::find(const PictureFile& picture, const std::optional<SeenPicture>& seen) {
  const auto all = [](const Slide&) { return true; };
  if (seen)
    if (auto out = known(by_digest_, seen->digest, "pixels", all)) return out;
  const fs::path file = place_of(picture.file);
  if (auto out = known(by_file_, file.string(), "file", all)) return out;
  // Of the others, those that their digest does not exclude.
  const auto may_be = [&](const Slide& s) {
    const bool comparable = !seen || (s.reduction > 0 && Reduction::of(s.reduction) == seen->reduction);
    return s.digest.empty() || !comparable;
  };
  const auto copied = [&](const Slide& s) { return (s.name == picture.id || may_be(s)) && equal_files(s.file, file); };
  if (auto out = known(by_size_, size_of(file), "content", copied)) return out;
  return known(by_name_, picture.id, "name", may_be);
}

bool TrainedSlides::equal_files(const fs::path& a, const fs::path& b) try {
  return sha256(a) == sha256(b);
} catch (const std::exception&) {  // one that cannot be read: its name may still tell
  return false;
}

const std::string& TrainedSlides::sha256(const fs::path& file) {
  std::string& known = sha256_[file];
  if (known.empty()) known = sha256_of(file);
  return known;
}

}  // namespace nephron::host
