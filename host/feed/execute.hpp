#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include <host/config/experiment.hpp>
#include <host/feed/plan.hpp>

namespace nephron::host {

/// Carries plans out, one after the other. One per thread: it keeps its buffers from plan to plan.
class Executor {
 public:
  virtual ~Executor() = default;
  /// Fills its arguments with a region of the source picture; planes[0] are label bits, further ones probabilities.
  using Source =
      std::function<void(const Region& region, const ImageView& image, const std::vector<ImageView>& planes)>;

  /// `wanted`, in the picture after all steps, goes to `image` (u8 RGB) and `planes` (one channel), which are of its
  /// size. Only the pixels that it depends on are computed.
  virtual void run(const RecordedPlan& plan, const Region& wanted, const Source& source, const ImageView& image,
                   const std::vector<ImageView>& planes) = 0;
};

/// What becomes of geometric steps that stand beside one another.
enum class Geometry : std::uint8_t {
  one_by_one,  ///< each interpolates the picture of the one before, as Albumentations does
  joined,      ///< one map, one interpolation: faster, and sharper
};

/// As the experiment says: data.join_geometry.
inline Geometry geometry_of(const DataConfig& data) {
  return data.join_geometry ? Geometry::joined : Geometry::one_by_one;
}

/// On this thread's CPU. Filters have OpenCV's arithmetic; warps of one step have its positions and weights, bit for
/// bit.
std::unique_ptr<Executor> make_cpu_executor(Geometry geometry = Geometry::one_by_one);

}  // namespace nephron::host
