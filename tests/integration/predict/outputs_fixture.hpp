#pragma once

#include <sstream>
#include <string>
#include <vector>

#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include <nephron/image_cv.hpp>
#include <nephron/rle.hpp>

#include <tests/integration/predict/predict_fixture.hpp>
#include <tests/support/program.hpp>

namespace nephron::host {

/// Two slides of discs on glass.
class PredictOutputs : public Predict {
 protected:
  static constexpr Size size{700, 500};

  void SetUp() override {
    Predict::SetUp();
    fs::create_directories(root / "slides");
    blobs("one", 1), blobs("two", 2);
  }

  /// Tissue on glass: red discs in a pink field that ends at x = 400, white from there on.
  void blobs(const std::string& id, int seed) const {
    Image picture(size, 3);
    for (std::int64_t y = 0; y < size.height; ++y)
      for (std::int64_t x = 0; x < size.width; ++x) {
        std::uint8_t* const p = picture.view().row<std::uint8_t>(y) + 3 * x;
        const std::int64_t u = (x + 17 * seed) % 90 - 45, v = (y + 31 * seed) % 110 - 55, r = u * u + v * v;
        const bool disc = r < 900 && r > 60, glass = x >= 400;  // with a hole
        p[0] = glass ? 255 : disc ? static_cast<std::uint8_t>(160 + (x * 3 + y) % 90) : 60;
        p[1] = glass ? 255 : 40, p[2] = glass ? 255 : 90;
      }
    cv::Mat bgr;
    cv::cvtColor(as_mat(picture.view()), bgr, cv::COLOR_RGB2BGR);
    ASSERT_TRUE(cv::imwrite(slide(id).string(), bgr, {cv::IMWRITE_TIFF_COMPRESSION, 1}));
  }
  fs::path slide(const std::string& id) const { return root / "slides" / (id + ".tif"); }
  std::vector<std::string> words(const fs::path& out, const std::string& more) const {
    std::vector<std::string> all{NEPHRON_PROGRAM,       "predict", run.string(), "--slides", slide("one").string(),
                                 slide("two").string(), "--out",   out.string(), "--device", "cpu"};
    std::istringstream rest(more);
    for (std::string word; rest >> word;) all.push_back(word);
    return all;
  }
  Outcome predict_slides(const fs::path& out, const std::string& more) const {
    StartedProgram program(words(out, more), root / "output.txt");
    const int code = program.wait();
    return {code, program.output()};
  }
  static Image mask_in(const fs::path& out, const std::string& id) {
    return read_mask(out / "masks/glomerulus" / (id + ".png"));
  }
  static std::string text(const fs::path& file) { return read_file(file); }
  static bool equal(const Image& a, const Image& b) {
    return a.size() == b.size() && cv::norm(as_mat(a.view()), as_mat(b.view()), cv::NORM_INF) == 0;
  }
  static Image mask_of_runs(const Runs& runs) {
    Image out(size, 1);
    decode_rle(runs, out.view(), 255);
    return out;
  }
};

}  // namespace nephron::host
