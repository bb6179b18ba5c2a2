#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <host/predict/shares.hpp>
#include <host/util/progress.hpp>

namespace nephron::host {

/// The line that tells how far a prediction is: what is being done of which pictures, and how much of all is done.
class PictureProgress {
 public:
  explicit PictureProgress(const std::vector<PictureFile>& pictures)
      : shares_(pictures), line_("predicting", static_cast<std::int64_t>(pictures.size())) {}

  void doing(const std::string& id, double share, const std::string& what) {
    under_way_[id] = {share, what};
    show();
  }
  /// It is done, or left out.
  void settled(const std::string& id) {
    under_way_.erase(id);
    share_ += shares_.of(id);
    ++settled_;
    show();
  }
  void finish() { line_.finish(); }

 private:
  /// What is being done of a picture, and the share that is done.
  struct UnderWay {
    double share = 0;
    std::string what;
  };

  void show() {
    double share = share_;
    std::string note;
    for (const auto& [id, at] : under_way_) {
      share += at.share * shares_.of(id);
      note += (note.empty() ? "" : "; ") + id + at.what;
    }
    line_.update(settled_, note, share);
  }

  Shares shares_;
  Progress line_;
  std::map<std::string, UnderWay> under_way_;
  std::int64_t settled_ = 0;
  double share_ = 0;  ///< of all work: theirs
};

}  // namespace nephron::host
