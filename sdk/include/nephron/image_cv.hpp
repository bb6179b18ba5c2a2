#pragma once

// Optional: only for plugins that use OpenCV themselves.
#include <opencv2/core/mat.hpp>

#include <nephron/image.hpp>

namespace nephron {

/// The same pixels as a cv::Mat, without a copy; the view's owner must outlive it. OpenCV has no u32: it reads it as
/// signed.
inline cv::Mat as_mat(const ImageView& view) {
  const int depth = view.depth == Depth::u8    ? CV_8U
                    : view.depth == Depth::u16 ? CV_16U
                    : view.depth == Depth::u32 ? CV_32S
                                               : CV_32F;
  return {static_cast<int>(view.height), static_cast<int>(view.width), CV_MAKETYPE(depth, view.channels), view.data,
          static_cast<std::size_t>(view.stride)};
}

}  // namespace nephron
