#include <algorithm>
#include <map>
#include <utility>

#include <nephron/error.hpp>

#include <host/data/listing.hpp>
#include <host/predict/chosen_dataset.hpp>
#include <host/predict/listed_slide.hpp>
#include <host/predict/normalised_source.hpp>
#include <host/predict/picture_loader.hpp>
#include <host/util/slide_file_name.hpp>

namespace nephron::host {

namespace {

class DatasetPictures final : public PictureLoader {
 public:
  DatasetPictures(const PredictRequest& request, const PredictSettings& settings, const Experiment& experiment,
                  const Registry& registry)
      : request_(request),
        settings_(settings),
        normalisation_(Normalisation::of(experiment, registry)),
        listing_(with_dataset(experiment, request.dataset), registry) {
    for (const Listing::Entry& entry : listing_.slides()) {
      const std::string id = file_name_of_slide(entry.info.id);
      const auto [other, fresh] = entries_.try_emplace(id, &entry);
      if (!fresh)
        throw Error("slides \"" + other->second->info.id + "\" and \"" + entry.info.id +
                    "\" would both be written as " + id);
    }
    for (const auto& [id, entry] : entries_) pictures_.push_back({id, entry->info.source});
    if (pictures_.empty()) throw Error("dataset \"" + request.dataset + "\" has no slides");
  }

  const std::vector<PictureFile>& pictures() const noexcept override { return pictures_; }
  bool compares() const noexcept override { return true; }
  bool has_truth(const std::string& id) const override { return is_annotated(listing_, entry_of(id)); }
  std::string looked_for(const std::string& id) const override {
    return "annotations of dataset \"" + listing_.dataset_name(entry_of(id).dataset) + "\"";
  }

  PictureOutline outline(const PictureFile& picture) const override {
    const Listing::Entry& entry = entry_of(picture.id);
    const std::shared_ptr<const SlideReader> reader = open_listed(listing_, entry);
    const auto* const file = dynamic_cast<const SlideFile*>(reader.get());
    return {reader->size(), entry.info.mpp > 0 || file == nullptr ? entry.info.mpp : file->header().mpp};
  }

  LoadedPicture load(const PictureFile& picture) const override {
    const Listing::Entry& entry = entry_of(picture.id);
    std::shared_ptr<const SlideReader> reader = open_listed(listing_, entry);
    const Size size = reader->size();
    LoadedPicture out = load_slide(std::move(reader), entry.info.mpp, settings_, request_.held_bytes);
    normalise(out, normalisation_.get(), {entry.info.id, listing_.group(entry), listing_.dataset_name(entry.dataset)});
    out.truth = truth_of_listed(listing_, entry, size);
    return out;
  }

 private:
  /// A run of --with may list fewer slides than the first one.
  const Listing::Entry& entry_of(const std::string& id) const {
    const auto found = entries_.find(id);
    if (found != entries_.end()) return *found->second;
    throw Error("dataset \"" + request_.dataset + "\" of " + request_.run.string() + " has no slide \"" + id + "\"",
                "Runs that predict together list the same slides: name --slides or --images in place of --dataset.");
  }

  const PredictRequest& request_;
  const PredictSettings& settings_;
  std::shared_ptr<const Normalisation> normalisation_;
  Listing listing_;
  std::map<std::string, const Listing::Entry*> entries_;  ///< by id
  std::vector<PictureFile> pictures_;
};

}  // namespace

std::unique_ptr<PictureLoader> dataset_pictures(const PredictRequest& request, const PredictSettings& settings,
                                                const Experiment& experiment, const Registry& registry) {
  return std::make_unique<DatasetPictures>(request, settings, experiment, registry);
}

}  // namespace nephron::host
