#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <nephron/component.hpp>
#include <nephron/context.hpp>
#include <nephron/image.hpp>
#include <nephron/plugin.hpp>
#include <nephron/room.hpp>

namespace nephron {

/// What lies beyond the edge of the picture.
enum class Border : std::uint8_t { constant, reflect_101 };

/// The sample that an augmentation draws for.
struct SampleInfo {
  Size size;          ///< of the picture, in pixels
  std::string slide;  ///< id of the slide that it is cut from
  std::string group;  ///< the slide's sampling group
  double mpp = 0;     ///< microns per pixel of the picture; 0 when unknown
  Region region{};    ///< of the slide, in pixels of the prepared level; it may leave the slide
  Room room{};
};

/// The pixels of a sample, to be changed in place. All are of one size.
struct SampleView {
  ImageView image;                  ///< u8 RGB
  ImageView labels;                 ///< one bit a class, as wide as they need; empty when there are none
  std::span<const ImageView> soft;  ///< probability maps, u8 with one channel, 255 is 1; often none
  Room room{};
};

/// Nodes that Plan::displacement() wants for a picture: the last ones stand at its far edges or beyond.
constexpr Size displacement_nodes(Size picture, int spacing) noexcept {
  const auto nodes = [spacing](std::int64_t extent) {
    return std::max<std::int64_t>(2, (extent - 1 + spacing - 1) / spacing + 1);
  };
  return {nodes(picture.width), nodes(picture.height)};
}

/// Where an augmentation says what is to be done. The host carries it out on image, labels and probability maps alike,
/// one after the other or fused. Calls are carried out in their order.
class NEPHRON_API Plan {
 public:
  virtual ~Plan();
  /// Geometry: where each pixel of the source goes (pixel centres at whole numbers). Images are interpolated
  /// linearly, labels and probability maps by nearest neighbour. Constant borders are 0.
  virtual void affine(const Affine& forward, Border border) = 0;
  /// Mirrors, exactly.
  virtual void flip(bool horizontal, bool vertical) = 0;
  /// Geometry: the picture is read beside each output pixel, at (x + dx, y + dy). `grid` is f32 with two channels, dx
  /// and dy in pixels: node (i, j) is the vector of pixel (i * spacing, j * spacing), and displacement_nodes() says how
  /// many there are. Between nodes, dx and dy are interpolated linearly along y, then along x. A spacing of 1 is a
  /// vector for each pixel.
  virtual void displacement(const Image& grid, int spacing, Border border) = 0;
  /// Colour: a table a channel (RGB), image only.
  virtual void lookup(const std::array<std::array<std::uint8_t, 256>, 3>& table) = 0;
  /// Colour: out = M (r, g, b, 1), rows are output channels, values 0..255, rounded and clipped; image only.
  virtual void colour_matrix(const std::array<float, 12>& matrix) = 0;
  /// Colour: the same of optical densities, d = ln(white / value): out = white * exp(-M (dr, dg, db, 1)), rounded and
  /// clipped; image only. `white` is the background's colour, 1 to 255 a channel. A value of 0 counts as 1/4, the mean
  /// of what is rounded to it. Entries lie within -4..4, the last of each row (which is added) within -20..20.
  virtual void density_matrix(const std::array<float, 12>& matrix, const std::array<float, 3>& white) = 0;
  /// Colour: any map of colours, by its values at the nodes of a cube. Three a node, RGB, 0..255; red runs fastest:
  /// node (r, g, b) begins at values[3 * (r + side * (g + side * b))] and stands at the colour 255 / (side - 1) times
  /// (r, g, b). Linear between nodes along red, then green, then blue; rounded and clipped; image only. side: 2 to 65.
  virtual void colour_cube(int side, const std::vector<float>& values) = 0;
  /// Filter: correlation of each channel with a kernel (f32, one channel, odd sides), border reflect_101; image only.
  virtual void filter(const Image& kernel) = 0;
  /// Filter: the same with a separable kernel, rows then columns.
  virtual void filter(const std::vector<float>& horizontal, const std::vector<float>& vertical) = 0;
  /// Anything else: changes pixels in place. What moves pixels of the image moves those of the labels and of the
  /// probability maps alike. `change` runs when draw() has long returned, once, on a thread of the host's choice: the
  /// SampleInfo, the Rng and the variables of draw() are gone by then. It holds values alone ([gain], never [&]), and
  /// draws from a generator of its own: [noise = rng.fork("noise")](const SampleView& s) mutable { ... }.
  virtual void pixels(std::function<void(const SampleView& sample)> change) = 0;
};

/// Changes a picture and its labels at random. The host decides whether it is applied (`p`); the augmentation
/// draws its parameters from `rng` alone and puts them into the plan. Const calls are thread-safe. An Error ends the
/// run and names slide and window. What changes whole batches is a BatchAugmentation.
class NEPHRON_API Augmentation : public Component {
 public:
  static constexpr std::string_view kind = "augmentation";
  ~Augmentation() override;
  virtual void draw(const SampleInfo& sample, Rng& rng, Plan& plan) const = 0;
};

}  // namespace nephron
