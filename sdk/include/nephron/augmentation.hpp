#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string_view>

#include <nephron/component.hpp>
#include <nephron/context.hpp>
#include <nephron/image.hpp>
#include <nephron/plugin.hpp>

namespace nephron {

/// What lies beyond the edge of the picture.
enum class Border : std::uint8_t { constant, reflect_101 };

/// Where an augmentation says what is to be done. The host carries it out on image and labels alike, one after the
/// other or fused. Calls are carried out in their order.
class NEPHRON_API Plan {
 public:
  virtual ~Plan();
  /// Geometry: where each pixel of the source goes (pixel centres at whole numbers). Images are interpolated
  /// linearly, labels by nearest neighbour. Constant borders are 0.
  virtual void affine(const Affine& forward, Border border) = 0;
  /// Mirrors, exactly.
  virtual void flip(bool horizontal, bool vertical) = 0;
  /// Geometry: `field` is f32 with two channels (x, y) of the picture's size: position to read for each output pixel.
  virtual void displacement(const Image& field, Border border) = 0;
  /// Colour: a table a channel (RGB), image only.
  virtual void lookup(const std::array<std::array<std::uint8_t, 256>, 3>& table) = 0;
  /// Colour: out = M (r, g, b, 1), rows are output channels, values 0..255, rounded and clipped; image only.
  virtual void colour_matrix(const std::array<float, 12>& matrix) = 0;
  /// Filter: correlation of each channel with a kernel (f32, one channel, odd sides), border reflect_101; image only.
  virtual void filter(const Image& kernel) = 0;
  /// Filter: the same with a separable kernel, rows then columns.
  virtual void filter(const std::vector<float>& horizontal, const std::vector<float>& vertical) = 0;
  /// Anything else: changes pixels in place. Image u8 RGB, labels u8 of the same size, one bit a class (empty when
  /// there are none). What moves pixels of the image moves those of the labels alike. Soft targets (probability maps)
  /// are not handed in: geometry of the other kinds carries them along, this one leaves them where they are.
  virtual void pixels(std::function<void(const ImageView& image, const ImageView& labels)> change) = 0;
};

/// Changes a picture and its labels at random. The host decides whether it is applied (`p`); the augmentation
/// draws its parameters from `rng` alone and puts them into the plan. Const calls are thread-safe. An Error ends the
/// run and names slide and window. What changes whole batches is a BatchAugmentation.
class NEPHRON_API Augmentation : public Component {
 public:
  static constexpr std::string_view kind = "augmentation";
  ~Augmentation() override;
  /// `size`: of the picture, in pixels.
  virtual void draw(Size size, Rng& rng, Plan& plan) const = 0;
};

}  // namespace nephron
