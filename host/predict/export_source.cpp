#include <host/predict/export_source.hpp>

#include <utility>

#include <host/plugins/guard.hpp>
#include <host/predict/listed_slide.hpp>
#include <host/predict/slide_source.hpp>

namespace nephron::host {

namespace {

class FromFile final : public ExportSource {
 public:
  FromFile(const Listing& listing, const Listing::Entry& entry)
      : origin_(listing.origin(entry, "reading")), reduction_(listing.reduction(entry)) {
    std::shared_ptr<const SlideReader> reader = open_listed(listing, entry);
    truth_ = truth_of_listed(listing, entry, reader->size());
    guarded(origin_, [&] { picture_ = slide_source(std::move(reader), reduction_, /*held_bytes=*/0); });
  }
  Size size() const override { return picture_->size(); }
  bool annotated() const override { return truth_ != nullptr; }
  bool ignores() const override { return truth_ != nullptr && truth_->ignores(); }
  Rows rows(std::int64_t y, std::int64_t height) const override {
    Rows out{Image({size().width, height}, 3), {}};
    guarded(origin_, [&] { picture_->read({0, y, size().width, height}, out.picture.view()); });
    if (truth_ != nullptr) out.masks = truth_->rows(reduction_, y, height);
    return out;
  }

 private:
  Origin origin_;
  Reduction reduction_;
  std::unique_ptr<TileSource> picture_;
  std::shared_ptr<const PictureTruth> truth_;
};

class FromStore final : public ExportSource {
 public:
  FromStore(std::shared_ptr<const PreparedSlide> slide, std::size_t classes)
      : slide_(std::move(slide)), classes_(classes) {}
  Size size() const override { return slide_->size(); }
  bool annotated() const override { return slide_->annotated(); }
  bool ignores() const override { return annotated() && slide_->ignored() > 0; }
  Rows rows(std::int64_t y, std::int64_t height) const override {
    const Size band{size().width, height};
    Rows out{Image(band, 3), {}};
    const Image labels(band, 1, slide_->label_depth());
    slide_->read({0, y, band.width, height}, out.picture.view(), labels.view());
    if (!annotated()) return out;
    for (const ChannelRule& rule : slide_->targets()) out.masks.of_class.push_back(target_mask(labels.view(), rule));
    if (ignores()) out.masks.ignored = ignored_mask(labels.view(), classes_);
    return out;
  }

 private:
  std::shared_ptr<const PreparedSlide> slide_;
  std::size_t classes_;
};

}  // namespace

std::unique_ptr<ExportSource> source_of_file(const Listing& listing, const Listing::Entry& entry) {
  return std::make_unique<FromFile>(listing, entry);
}

std::unique_ptr<ExportSource> source_of_prepared(std::shared_ptr<const PreparedSlide> slide, std::size_t classes) {
  return std::make_unique<FromStore>(std::move(slide), classes);
}

}  // namespace nephron::host
