#include <host/predict/picture_truth.hpp>

#include <algorithm>
#include <utility>

#include <host/predict/picture_file.hpp>
#include <host/store/digest.hpp>

namespace nephron::host {

namespace {

Image rows_of(const Image& mask, std::int64_t y, std::int64_t height) {
  if (mask.empty()) return {};
  Image out({mask.size().width, height}, 1);
  copy(mask.view().crop({0, y, mask.size().width, height}), out.view());
  return out;
}

TruthFolder::Masks reduced(const TruthFolder::Masks& masks, Reduction reduction) {
  TruthFolder::Masks out;
  for (const Image& mask : masks.of_class) out.of_class.push_back(reduce_mask(mask, reduction));
  if (!masks.ignored.empty()) out.ignored = reduce_mask(masks.ignored, reduction);
  return out;
}

class Held final : public PictureTruth {
 public:
  Held(TruthFolder::Masks masks, Reduction reduction)
      : PictureTruth(masks.of_class.front().size()),
        reduction_(reduction),
        reduced_(reduced(masks, reduction)),
        full_(std::move(masks)) {}
  std::size_t classes() const noexcept override { return full_.of_class.size(); }
  bool ignores() const noexcept override { return !full_.ignored.empty(); }
  bool coded() const noexcept override { return full_.coded; }
  TruthFolder::Masks rows(Reduction reduction, std::int64_t y, std::int64_t height) const override {
    const TruthFolder::Masks& all = reduction == reduction_ ? reduced_ : full_;
    TruthFolder::Masks out;
    for (const Image& mask : all.of_class) out.of_class.push_back(rows_of(mask, y, height));
    out.ignored = rows_of(all.ignored, y, height);
    return out;
  }

 private:
  Reduction reduction_;
  TruthFolder::Masks reduced_, full_;
};

class Painted final : public PictureTruth {
 public:
  Painted(std::shared_ptr<const LabelPainter> painter, std::vector<ChannelRule> rules)
      : PictureTruth(painter->slide()), painter_(std::move(painter)), rules_(std::move(rules)) {}
  std::size_t classes() const noexcept override { return rules_.size(); }
  bool ignores() const noexcept override { return painter_->ignores(); }
  bool coded() const noexcept override { return true; }
  TruthFolder::Masks rows(Reduction reduction, std::int64_t y, std::int64_t height) const override {
    const std::int64_t width = painter_->size(reduction).width;
    const Image labels({width, height}, 1, painter_->depth());
    painter_->paint(reduction, {0, y, width, height}, labels.view());
    TruthFolder::Masks out;
    for (const ChannelRule& rule : rules_) out.of_class.push_back(target_mask(labels.view(), rule));
    if (ignores()) {
      out.ignored = ignored_mask(labels.view(), static_cast<std::size_t>(painter_->classes()));
      if (out.ignored.empty()) out.ignored = Image({width, height}, 1);
    }
    return out;
  }

 private:
  std::shared_ptr<const LabelPainter> painter_;
  std::vector<ChannelRule> rules_;
};

}  // namespace

std::string PictureTruth::digest() const {
  constexpr std::int64_t rows_at_once = 256;
  Sha256 all;
  const std::string size = std::to_string(size_.width) + " x " + std::to_string(size_.height);
  for (std::size_t c = 0; c < classes() + (ignores() ? 1 : 0); ++c) {
    all.add(size.c_str(), size.size() + 1);
    for (std::int64_t y = 0; y < size_.height; y += rows_at_once) {
      const TruthFolder::Masks part = rows(1, y, std::min(rows_at_once, size_.height - y));
      const Image& mask = c < classes() ? part.of_class[c] : part.ignored;
      for (std::int64_t row = 0; row < mask.size().height; ++row)
        all.add(mask.view().row<const std::uint8_t>(row), static_cast<std::size_t>(mask.size().width));
    }
  }
  return all.hex();
}

std::shared_ptr<const PictureTruth> held_truth(TruthFolder::Masks masks, Reduction reduction) {
  if (masks.of_class.empty()) return nullptr;
  return std::make_shared<Held>(std::move(masks), reduction);
}

std::shared_ptr<const PictureTruth> painted_truth(std::shared_ptr<const LabelPainter> painter,
                                                  std::vector<ChannelRule> rules) {
  return std::make_shared<Painted>(std::move(painter), std::move(rules));
}

}  // namespace nephron::host
