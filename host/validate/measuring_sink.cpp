#include <host/validate/measuring_sink.hpp>

#include <host/predict/truth.hpp>
#include <host/tiling/most_likely.hpp>

namespace nephron::host {

namespace {

constexpr std::uint8_t one_half = 127;  // the highest target that is none

}  // namespace

MeasuringSink::MeasuringSink(const PreparedSlide& slide, bool exclusive, const std::vector<double>& thresholds,
                             SlideMeter& meter, std::vector<CurveCounts>& curves, SavedMaps& saved)
    : slide_(slide), exclusive_(exclusive), thresholds_(thresholds), meter_(meter), curves_(curves), saved_(saved) {}

void MeasuringSink::rows(std::int64_t y, std::span<const ImageView> classes) {
  const Size size = classes[0].size();
  targets_.read(slide_, {0, y, size.width, size.height});
  const auto pixels = static_cast<std::size_t>(size.area());
  truth_.resize(classes.size() * pixels);
  for (std::size_t i = 0; i < truth_.size(); ++i) truth_[i] = targets_.targets()[i] > one_half ? 1 : 0;
  const auto plane = [&](const std::uint8_t* data) {
    return ImageView{const_cast<std::uint8_t*>(data), size.width, size.height, 1, Depth::u8, size.width};
  };
  std::vector<ImageView> truth;
  for (std::size_t c = 0; c < classes.size(); ++c) truth.push_back(plane(truth_.data() + c * pixels));
  const ImageView ignored = targets_.ignoring() ? plane(targets_.ignored().data()) : ImageView();
  const std::vector<Image> masks = masks_of(classes);
  for (std::size_t c = 0; c < classes.size(); ++c) {
    if (!curves_.empty()) curves_[c].add(levels_of(classes[c]).view(), truth[c], ignored);
    if (saved_.any()) saved_.rows(c, classes[c], masks[c].view());
  }
  meter_.rows(measured_rows(y, classes, truth, masks, ignored));
}

/// Where what is above the thresholds will not do: of exclusive classes, and to be saved.
std::vector<Image> MeasuringSink::masks_of(std::span<const ImageView> classes) const {
  std::vector<Image> out;
  if (!exclusive_ && !saved_.any()) return out;
  const Size size = classes[0].size();
  const auto map_of = [&](std::size_t c) {
    Image map(size, 1, Depth::f32);
    copy(classes[c], map.view());
    return map;
  };
  const MostLikely likeliest = exclusive_ ? MostLikely(classes.size(), size, map_of) : MostLikely();
  for (std::size_t c = 0; c < classes.size(); ++c)
    out.push_back(exclusive_ ? likeliest.mask(c) : above(classes[c], thresholds_[c]));
  return out;
}

}  // namespace nephron::host
