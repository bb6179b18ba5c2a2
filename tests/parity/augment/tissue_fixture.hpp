#pragma once

#include <algorithm>
#include <cmath>

#include "augment_fixture.hpp"

namespace nephron::host {

/// The same on colours that slides have.
class TissueParity : public AugmentParity {
 protected:
  void SetUp() override {
    AugmentParity::SetUp();
    if (IsSkipped()) return;
    stain();
  }
  // Made-up tissue: mixtures of haematoxylin and eosin, some of it empty.
  void stain() {
    Rng rng(5, "tissue");
    for (int y = 0; y < height; ++y)
      for (int x = 0; x < width; ++x) {
        const double h = std::max(0.0, 0.5 + 0.6 * std::sin(0.11 * x) * std::cos(0.08 * y)),
                     e = std::max(0.0, 0.4 + 0.5 * std::cos(0.07 * y + 0.05 * x));
        const double stains[2][3] = {{0.65, 0.70, 0.29}, {0.07, 0.99, 0.11}};
        for (int c = 0; c < 3; ++c)
          image_.at<cv::Vec3b>(y, x)[c] = cv::saturate_cast<std::uint8_t>(
              245 * std::exp(-h * stains[0][c] - e * stains[1][c]) + rng.uniform(-4, 4));
      }
    write_pictures();
  }
};

}  // namespace nephron::host
