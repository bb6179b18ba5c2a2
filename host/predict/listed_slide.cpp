#include <host/predict/listed_slide.hpp>

#include <nephron/error.hpp>

#include <host/labels/painter.hpp>
#include <host/plugins/guard.hpp>

namespace nephron::host {

namespace {

const Dataset& dataset_of(const Listing& listing, const Listing::Entry& entry) {
  return *listing.datasets()[entry.dataset];
}

}  // namespace

std::shared_ptr<const SlideReader> open_listed(const Listing& listing, const Listing::Entry& entry) {
  return guarded(listing.origin(entry, "opening"), [&] {
    std::shared_ptr<const SlideReader> opened = dataset_of(listing, entry).open(entry.info);
    if (opened == nullptr) throw Error("the dataset gave no reader");
    return opened;
  });
}

bool is_annotated(const Listing& listing, const Listing::Entry& entry) {
  return guarded(listing.origin(entry, "listing"), [&] { return dataset_of(listing, entry).annotated(entry.info); });
}

std::shared_ptr<const PictureTruth> truth_of_listed(const Listing& listing, const Listing::Entry& entry, Size size) {
  if (!is_annotated(listing, entry)) return nullptr;
  const auto& classes = listing.experiment().classes;
  const auto painter = std::make_shared<LabelPainter>(size, static_cast<int>(classes.size()));
  guarded(listing.origin(entry, "annotating"),
          [&] { dataset_of(listing, entry).annotate(entry.info, classes, *painter); });
  return painted_truth(painter, listing.targets(entry));
}

}  // namespace nephron::host
