#include <host/predict/joined_rows.hpp>

#include <algorithm>
#include <memory>
#include <utility>

namespace nephron::host {

namespace {

constexpr std::int64_t rows_at_once = 64;

/// The rows of one run at the size of all, asked for in their order.
class FullRows {
 public:
  FullRows(const SaidRows& said, Size size, int classes)
      : said_(said),
        width_(size.width),
        waiting_(static_cast<std::size_t>(classes)),
        enlarged_(said.rows->size(), size, static_cast<std::size_t>(classes), rows_at_once,
                  [this](std::int64_t, std::span<const ImageView> maps) { keep(maps); }) {}

  /// Adds share * (probability, or vote) of the next rows to `sums`, a map a class.
  void add_next(std::int64_t height, std::optional<double> vote, const std::vector<Image>& sums) {
    const auto needed = static_cast<std::size_t>(height * width_);
    while (waiting_.front().size() < needed) {
      const std::vector<Image> part = said_.rows->read(next_, rows_at_once);
      std::vector<ImageView> views;
      for (const Image& map : part) views.push_back(map.view());
      next_ += part.front().size().height;
      enlarged_.add(views);
    }
    const auto share = static_cast<float>(said_.share), limit = static_cast<float>(vote.value_or(0));
    for (std::size_t c = 0; c < sums.size(); ++c) {
      std::vector<float>& from = waiting_[c];
      float* const to = sums[c].view().row<float>(0);
      for (std::size_t i = 0; i < needed; ++i) to[i] += share * (!vote ? from[i] : from[i] > limit ? 1.0F : 0.0F);
      from.erase(from.begin(), from.begin() + static_cast<std::ptrdiff_t>(needed));
    }
  }

 private:
  void keep(std::span<const ImageView> maps) {
    for (std::size_t c = 0; c < maps.size(); ++c)
      for (std::int64_t y = 0; y < maps[c].height; ++y)
        waiting_[c].insert(waiting_[c].end(), maps[c].row<const float>(y), maps[c].row<const float>(y) + width_);
  }

  SaidRows said_;
  std::int64_t width_, next_ = 0;
  std::vector<std::vector<float>> waiting_;  ///< rows that were made and not asked for, a class each
  EnlargedRows enlarged_;
};

}  // namespace

void join_rows(std::vector<SaidRows> runs, Size size, int classes, std::optional<double> vote, ProbabilitySink& sink) {
  double all = 0;
  for (const SaidRows& run : runs) all += run.share;
  for (SaidRows& run : runs) run.share /= all;
  std::vector<std::unique_ptr<FullRows>> streams;
  for (const SaidRows& run : runs) streams.push_back(std::make_unique<FullRows>(run, size, classes));
  sink.begin(size, classes);
  for (std::int64_t y = 0; y < size.height; y += rows_at_once) {
    const std::int64_t height = std::min(rows_at_once, size.height - y);
    std::vector<Image> sums;
    std::vector<ImageView> views;
    for (int c = 0; c < classes; ++c)
      views.push_back(sums.emplace_back(Size{size.width, height}, 1, Depth::f32).view());
    for (const auto& stream : streams) stream->add_next(height, vote, sums);
    sink.rows(y, views);
  }
}

}  // namespace nephron::host
