#include <host/predict/picture_scores.hpp>

#include <limits>
#include <utility>

namespace nephron::host {

PictureScores::PictureScores(std::vector<bool> known, bool search) : known_(std::move(known)) {
  if (search) counts_.resize(known_.size());
  else overlaps_.resize(known_.size());
}

void PictureScores::add(const TruthFolder::Masks& part, std::span<const Image> rows) {
  const ImageView& ignored = part.ignored.view();
  for (std::size_t c = 0; c < rows.size(); ++c) {
    const ImageView& truth = part.of_class[c].view();
    if (!counts_.empty()) {
      counts_[c].add(rows[c].view(), truth, ignored);
      continue;
    }
    const auto width = static_cast<std::size_t>(truth.width);
    for (std::int64_t row = 0; row < truth.height; ++row) {
      const auto of = [&](const ImageView& view) {
        return view.empty() ? std::span<const std::uint8_t>() : std::span(view.row<const std::uint8_t>(row), width);
      };
      overlaps_[c] += overlap_of(of(rows[c].view()), of(truth), of(ignored));
    }
  }
}

std::vector<double> PictureScores::dice() const {
  std::vector<double> out(known_.size());
  for (std::size_t c = 0; c < out.size(); ++c)
    if (!known_[c]) out[c] = std::numeric_limits<double>::quiet_NaN();
    else if (!overlaps_.empty()) out[c] = overlaps_[c].dice();
  return out;
}

std::vector<std::vector<double>> PictureScores::curves() const {
  std::vector<std::vector<double>> out;
  for (std::size_t c = 0; c < counts_.size(); ++c) out.push_back(known_[c] ? counts_[c].dice() : std::vector<double>());
  return out;
}

}  // namespace nephron::host
