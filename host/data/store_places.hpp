#pragma once

#include <optional>
#include <string>

#include <nephron/slide.hpp>

#include <host/data/listing.hpp>
#include <host/store/labels_folder.hpp>

namespace nephron::host {

/// Where the labels of a slide lie in the experiment's store, and what they should be. The folder's key is made of what
/// makes labels: the dataset's type and parameters, the names of the classes, the slide's id.
struct LabelsPlace {
  LabelsFolder folder;
  LabelsWish wish;
};
LabelsPlace labels_place(const Listing& listing, const Listing::Entry& entry);

/// What the picture of a slide should be, wherever it lies.
PictureWish picture_wish(const Listing& listing, const Listing::Entry& entry);

/// Where the picture of an open slide lies, and who gives its pixels.
struct PicturePlace {
  PictureFolder folder;
  std::string reader;    ///< kind, component, version
  bool of_file = false;  ///< the pixels are those of a file, whichever dataset lists it
};
/// The folder's key is made of what makes pixels: of a slide file, which file it is and which component reads it, so
/// that datasets share it, whatever their parameters; of other slides the dataset's type and parameters too. A picture
/// whose source was moved is found by its content.
PicturePlace picture_place(const Listing& listing, const Listing::Entry& entry, const SlideReader& slide);

/// Where the picture of a slide lies as far as its labels tell; nothing when they are not prepared. Nothing is opened.
std::optional<PictureFolder> known_picture(const LabelsPlace& place);

}  // namespace nephron::host
