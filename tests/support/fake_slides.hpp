#pragma once

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include <nephron/error.hpp>
#include <nephron/slide.hpp>

namespace nephron::host {

/// "Slide files" of a test: text files with width and height ("400 300"). All their pixels are grey; "400 300 grey" has
/// one channel of them.
class FakeOpener final : public SlideOpener {
 public:
  std::unique_ptr<SlideFile> open(const std::filesystem::path& file, std::string_view = {}) override {
    Size size;
    std::ifstream in(file);
    in >> size.width >> size.height;
    if (!in || size.empty()) throw Error(file.string() + " is not a slide; expected width and height");
    std::string grey;
    in >> grey;
    return std::make_unique<File>(size, grey == "grey" ? 1 : 3);
  }

  static void write(const std::filesystem::path& file, Size size) {
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << size.width << " " << size.height << "\n";
  }

 private:
  class File final : public SlideFile {
   public:
    File(Size size, int channels) { header_.levels = {{size, 1.0}}, header_.mpp = 0.5, header_.channels = channels; }
    Size size() const noexcept override { return header_.levels.front().size; }
    const SlideHeader& header() const noexcept override { return header_; }
    void read(const Region& region, const ImageView& out) const override { read_level(0, region, out); }
    void read_level(int, const Region& region, const ImageView& out) const override {
      for (std::int64_t y = 0; y < region.height; ++y)
        std::fill_n(out.row<std::uint8_t>(y), region.width * 3, std::uint8_t{128});
    }

   private:
    SlideHeader header_;
  };
};

}  // namespace nephron::host
