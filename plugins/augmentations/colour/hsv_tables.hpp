#pragma once

#include <array>
#include <cmath>
#include <cstdint>

#include <opencv2/imgproc.hpp>

// Hue, saturation and value of whole pictures in the whole numbers that OpenCV and so Albumentations compute with: hues
// in steps of two degrees.

using Table = std::array<std::uint8_t, 256>;

/// OpenCV's hues plus a shift, truncated.
inline Table hue_table(double shift) {
  Table out{};
  for (std::size_t i = 0; i < out.size(); ++i) {
    const double turned = std::fmod(static_cast<double>(i) + shift, 180.0);
    out[i] = static_cast<std::uint8_t>(turned < 0 ? turned + 180 : turned);
  }
  return out;
}

/// Hue, saturation and value of an RGB picture through a table each, in place.
inline void through_hsv_tables(cv::Mat& rgb, const std::array<Table, 3>& tables) {
  cv::Mat hsv;
  cv::cvtColor(rgb, hsv, cv::COLOR_RGB2HSV);
  cv::Mat joined(1, 256, CV_8UC3);
  for (int i = 0; i < 256; ++i)
    for (int c = 0; c < 3; ++c)
      joined.at<cv::Vec3b>(0, i)[c] = tables[static_cast<std::size_t>(c)][static_cast<std::size_t>(i)];
  cv::LUT(hsv, joined, hsv);
  cv::cvtColor(hsv, rgb, cv::COLOR_HSV2RGB);
}
