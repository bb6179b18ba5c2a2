#include <host/feed/targets.hpp>

#include <algorithm>

#include <nephron/label_pixels.hpp>

namespace nephron::host {

namespace {

/// planes[0]: label bits; further ones: probabilities of the classes `soft`, in their order.
template <class T>
void write_channel(const std::vector<Image>& planes, const ChannelRule& rule, std::uint32_t soft, std::uint32_t classes,
                   std::span<std::uint8_t> to) {
  const auto* bits = planes[0].view().row<const T>(0);
  const auto hard = static_cast<T>(rule.any_of & ~soft & classes), none = static_cast<T>(rule.none_of);
  for (std::size_t i = 0; i < to.size(); ++i) to[i] = (bits[i] & hard) != 0 && (bits[i] & none) == 0 ? 255 : 0;
  std::size_t plane = 1;
  for (int s = 0; s < most_classes; ++s) {
    if ((soft >> s & 1U) == 0) continue;
    const auto* p = planes[plane++].view().row<const std::uint8_t>(0);
    if ((rule.any_of >> s & 1U) == 0) continue;
    for (std::size_t i = 0; i < to.size(); ++i)
      if ((bits[i] & none) == 0) to[i] = std::max(to[i], p[i]);
  }
}

}  // namespace

std::vector<int> soft_classes_of(const PreparedSlide& slide) {
  std::vector<int> out;
  for (int c = 0; c < most_classes; ++c)
    if ((slide.soft_classes() >> c & 1U) != 0) out.push_back(c);
  return out;
}

void write_targets(const PreparedSlide& slide, const std::vector<Image>& planes, std::span<std::uint8_t> targets,
                   std::span<float> weights) {
  const auto pixels = static_cast<std::size_t>(planes[0].size().area());
  for (std::size_t c = 0; c < weights.size(); ++c) {
    const ChannelRule& rule = slide.targets()[c];
    with_label_type(planes[0].view().depth, [&](auto zero) {
      write_channel<decltype(zero)>(planes, rule, slide.soft_classes(), first_bits(static_cast<int>(weights.size())),
                                    targets.subspan(c * pixels, pixels));
    });
    weights[c] = rule.weight;
  }
}

bool write_ignored(const PreparedSlide& slide, const Image& labels, std::span<std::uint8_t> targets,
                   std::span<std::uint8_t> ignored) {
  std::fill(ignored.begin(), ignored.end(), std::uint8_t{0});
  if (!slide.ignores()) return false;
  bool any = false;
  const auto pixels = static_cast<std::size_t>(labels.size().area());
  const std::size_t classes = targets.size() / std::max<std::size_t>(1, pixels);
  with_label_type(labels.view().depth, [&](auto zero) {
    const auto* bits = labels.view().row<const decltype(zero)>(0);
    for (std::size_t i = 0; i < pixels; ++i) {
      if ((bits[i] >> classes & 1) == 0) continue;
      for (std::size_t c = 0; c < classes; ++c) targets[c * pixels + i] = 0;
      if (!ignored.empty()) ignored[i] = 1;
      any = true;
    }
  });
  return any;
}

void RegionTargets::read(const PreparedSlide& slide, const Region& region) {
  const std::vector<int> soft = soft_classes_of(slide);
  const auto plane = [&](std::size_t i, Depth depth) {
    if (i == planes_.size()) planes_.emplace_back();
    if (planes_[i].size() != region.size() || planes_[i].view().depth != depth)
      planes_[i] = Image(region.size(), 1, depth);
    return planes_[i].view();
  };
  slide.read(region, {}, plane(0, slide.label_depth()));
  for (std::size_t i = 0; i < soft.size(); ++i) slide.read_soft(soft[i], region, plane(i + 1, Depth::u8));
  const auto pixels = static_cast<std::size_t>(region.size().area());
  weights_.resize(slide.targets().size());
  targets_.resize(weights_.size() * pixels);
  ignored_.resize(pixels);
  write_targets(slide, planes_, targets_, weights_);
  ignoring_ = write_ignored(slide, planes_[0], targets_, ignored_);
}

}  // namespace nephron::host
