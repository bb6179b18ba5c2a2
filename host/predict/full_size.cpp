#include <host/predict/full_size.hpp>

#include <algorithm>
#include <utility>
#include <vector>

#include <host/store/area.hpp>

namespace nephron::host {

namespace {

class FullSize final : public PixelModel {
 public:
  FullSize(std::unique_ptr<PixelModel> model, int factor) : model_(std::move(model)), factor_(factor) {}
  int classes() const noexcept override { return model_->classes(); }
  std::int64_t multiple() const noexcept override { return model_->multiple() * factor_; }

  void run(const TileBatch& tiles, float* out) override {
    const Size small{tiles.size.width / factor_, tiles.size.height / factor_};
    reduce(tiles, small);
    maps_.resize(static_cast<std::size_t>(tiles.count * classes() * small.area()));
    model_->run({tiles.count, small, images_.data(), tiles.places}, maps_.data());
    for (std::int64_t map = 0; map < tiles.count * classes(); ++map)
      enlarge(maps_.data() + map * small.area(), small, out + map * tiles.size.area());
  }

 private:
  static ImageView rgb(const std::uint8_t* pixels, Size size) {
    return {const_cast<std::uint8_t*>(pixels),          size.width, size.height, 3, Depth::u8,
            static_cast<std::ptrdiff_t>(3 * size.width)};
  }
  void reduce(const TileBatch& tiles, Size small) {
    images_.resize(static_cast<std::size_t>(3 * tiles.count * small.area()));
    const AreaReduction area(tiles.size, factor_);
    const Region all{0, 0, tiles.size.width, tiles.size.height}, part{0, 0, small.width, small.height};
    for (std::int64_t i = 0; i < tiles.count; ++i)
      area.reduce(rgb(tiles.images + 3 * i * tiles.size.area(), tiles.size), all, part,
                  rgb(images_.data() + 3 * i * small.area(), small));
  }
  void enlarge(const float* map, Size small, float* out) const {
    const std::int64_t width = small.width * factor_;
    for (std::int64_t y = 0; y < small.height; ++y) {
      float* const row = out + y * factor_ * width;
      for (std::int64_t x = 0; x < small.width; ++x) std::fill_n(row + x * factor_, factor_, map[y * small.width + x]);
      for (int copy = 1; copy < factor_; ++copy) std::copy_n(row, width, row + copy * width);
    }
  }

  std::unique_ptr<PixelModel> model_;
  int factor_;
  std::vector<std::uint8_t> images_;
  std::vector<float> maps_;
};

}  // namespace

std::unique_ptr<PixelModel> at_full_size(std::unique_ptr<PixelModel> model, int factor) {
  return std::make_unique<FullSize>(std::move(model), factor);
}

}  // namespace nephron::host
