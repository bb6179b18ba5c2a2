#include <host/predict/trained_pictures.hpp>

#include <string>
#include <utility>

#include <nephron/dataset_check.hpp>

#include <host/util/counted.hpp>
#include <host/util/log.hpp>

namespace nephron::host {

void TrainedPictures::note(const PictureFile& picture, const std::optional<SeenPicture>& seen) {
  for (const auto& member : members_) {
    if (auto found = member->trained.find(picture, seen)) {
      scores_.trained_on[picture.id] = *std::move(found);
      return;
    }
  }
}

void TrainedPictures::tell(std::size_t of) {
  std::vector<std::string> known;
  for (const auto& [id, how] : scores_.trained_on) known.push_back(id);
  if (known.size() > told_)
    log().warning(std::to_string(known.size()) + " of " + counted(of, "picture", "pictures") +
                  (known.size() == 1 ? " was" : " were") + " trained on (" + names_of(known) +
                  "): what is predicted there says nothing of new pictures");
  told_ = known.size();
}

}  // namespace nephron::host
