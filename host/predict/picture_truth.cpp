#include <host/predict/picture_truth.hpp>

#include <algorithm>
#include <utility>

#include <host/predict/picture_file.hpp>
#include <host/util/files.hpp>

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
  std::vector<bool> known() const override {
    return full_.known.empty() ? std::vector<bool>(classes(), true) : full_.known;
  }
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
  std::vector<bool> known() const override {
    std::vector<bool> out;
    for (const ChannelRule& rule : rules_) out.push_back(rule.weight > 0);
    return out;
  }
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

TruthDigest::TruthDigest(const PictureTruth& truth) : masks_(truth.classes() + (truth.ignores() ? 1 : 0)) {
  const std::string size = std::to_string(truth.size().width) + " x " + std::to_string(truth.size().height);
  for (Sha256& mask : masks_) mask.add(size.c_str(), size.size() + 1);
}

void TruthDigest::add(const TruthFolder::Masks& rows) {
  for (std::size_t c = 0; c < masks_.size(); ++c) {
    const Image& mask = c < rows.of_class.size() ? rows.of_class[c] : rows.ignored;
    for (std::int64_t row = 0; row < mask.size().height; ++row)
      masks_[c].add(mask.view().row<const std::uint8_t>(row), static_cast<std::size_t>(mask.size().width));
  }
}

std::string TruthDigest::hex() {
  if (masks_.size() == 1) return masks_.front().hex();
  std::string all;
  for (Sha256& mask : masks_) all += mask.hex();
  return sha256_of_text(all);
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
