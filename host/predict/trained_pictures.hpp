#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include <host/predict/member.hpp>
#include <host/predict/picture_facts.hpp>
#include <host/predict/scores.hpp>

namespace nephron::host {

/// Which pictures of a prediction one of its networks was trained on: noted in the scores, and told.
class TrainedPictures {
 public:
  /// All outlive it.
  TrainedPictures(const std::vector<std::unique_ptr<Member>>& members, Scores& scores)
      : members_(members), scores_(scores) {}
  /// `seen`: nothing before it is read: then by what files tell.
  void note(const PictureFile& picture, const std::optional<SeenPicture>& seen);
  /// Warns where there are more than were told. `of`: all pictures.
  void tell(std::size_t of);

 private:
  const std::vector<std::unique_ptr<Member>>& members_;
  Scores& scores_;
  std::size_t told_ = 0;
};

}  // namespace nephron::host
