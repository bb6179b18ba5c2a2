#include <host/predict/picture_scores.hpp>

#include <utility>

namespace nephron::host {

PictureScores::PictureScores(std::shared_ptr<const PictureTruth> truth, Reduction reduction, bool search)
    : truth_(std::move(truth)), reduction_(reduction) {
  if (search) counts_.resize(truth_->classes());
  else overlaps_.resize(truth_->classes());
}

void PictureScores::add(std::int64_t y, std::span<const Image> rows) {
  const TruthFolder::Masks part = truth_->rows(reduction_, y, rows.front().size().height);
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
  std::vector<double> out(truth_->classes());
  for (std::size_t c = 0; c < overlaps_.size(); ++c) out[c] = overlaps_[c].dice();
  return out;
}

std::vector<std::vector<double>> PictureScores::curves() const {
  std::vector<std::vector<double>> out;
  for (const CurveCounts& counts : counts_) out.push_back(counts.dice());
  return out;
}

}  // namespace nephron::host
