#include <host/data/duplicates.hpp>

#include <algorithm>
#include <map>
#include <string>

#include <nephron/fingerprint.hpp>

namespace nephron::host {

namespace {

bool listed_again(const PreparedSlide& a, const PreparedSlide& b) {
  return a.dataset() == b.dataset() && !a.info().source.empty() && a.info().source == b.info().source;
}

bool equal_everywhere(const PreparedSlide& a, const PreparedSlide& b) {
  constexpr std::int64_t rows = 256;
  const Size size = a.size();
  for (std::int64_t y = 0; y < size.height; y += rows) {
    const Region band = Region{0, y, size.width, rows}.clipped({0, 0, size.width, size.height});
    const Image x(band.size(), 3), z(band.size(), 3);
    a.read(band, x.view(), {}), b.read(band, z.view(), {});
    const auto bytes = static_cast<std::size_t>(band.width * band.height * 3);
    if (!std::equal(x.view().row<std::uint8_t>(0), x.view().row<std::uint8_t>(0) + bytes,
                    z.view().row<std::uint8_t>(0)))
      return false;
  }
  return true;
}

class Comparison {
 public:
  explicit Comparison(const PreparedData& data) : data_(data) {}

  /// Of two slides of one size.
  bool equal(std::size_t i, std::size_t j) {
    const PreparedSlide &a = *data_.slides[i], &b = *data_.slides[j];
    const std::string x = a.digests().picture, z = b.digests().picture;
    if (!x.empty() && !z.empty()) return x == z;
    return print_of(i) == print_of(j) && equal_everywhere(a, b);
  }

 private:
  const std::string& print_of(std::size_t i) {
    std::string& print = prints_[i];
    if (print.empty()) {
      const PreparedSlide& slide = *data_.slides[i];
      print = fingerprint(slide.size(), [&](const Region& r, const ImageView& to) { slide.read(r, to, {}); });
    }
    return print;
  }

  const PreparedData& data_;
  std::map<std::size_t, std::string> prints_;
};

}  // namespace

std::vector<std::pair<std::size_t, std::size_t>> equal_slides(const PreparedData& data) {
  Comparison comparison(data);
  std::vector<std::pair<std::size_t, std::size_t>> out;
  std::map<std::pair<std::int64_t, std::int64_t>, std::vector<std::size_t>> of_size;
  for (std::size_t i = 0; i < data.slides.size(); ++i) {
    const PreparedSlide& slide = *data.slides[i];
    auto& before = of_size[{slide.size().width, slide.size().height}];
    const auto same = std::find_if(before.begin(), before.end(), [&](std::size_t j) {
      return !listed_again(slide, *data.slides[j]) && comparison.equal(i, j);
    });
    if (same != before.end()) out.emplace_back(*same, i);
    before.push_back(i);
  }
  return out;
}

}  // namespace nephron::host
