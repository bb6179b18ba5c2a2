#include <host/predict/picture_scores.hpp>

namespace nephron::host {

PictureScores::PictureScores(std::size_t classes, bool search) : classes_(classes) {
  if (search) counts_.resize(classes);
  else overlaps_.resize(classes);
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
  std::vector<double> out(classes_);
  for (std::size_t c = 0; c < overlaps_.size(); ++c) out[c] = overlaps_[c].dice();
  return out;
}

std::vector<std::vector<double>> PictureScores::curves() const {
  std::vector<std::vector<double>> out;
  for (const CurveCounts& counts : counts_) out.push_back(counts.dice());
  return out;
}

}  // namespace nephron::host
