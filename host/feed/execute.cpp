#include <host/feed/execute.hpp>

#include <algorithm>

#include <opencv2/imgproc.hpp>

#include <nephron/error.hpp>
#include <nephron/image_cv.hpp>

namespace nephron::host {

namespace {

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};
template <class... F>
Overloaded(F...) -> Overloaded<F...>;

ImageView view_of(const cv::Mat& m) {
  return {m.data, m.cols, m.rows, m.channels(), Depth::u8, static_cast<std::ptrdiff_t>(m.step[0])};
}

int border_of(Border b) { return b == Border::constant ? cv::BORDER_CONSTANT : cv::BORDER_REFLECT_101; }

cv::Rect rect_of(const Region& part, const Region& whole) {
  return {static_cast<int>(part.x - whole.x), static_cast<int>(part.y - whole.y), static_cast<int>(part.width),
          static_cast<int>(part.height)};
}

Region grown(const Region& r, std::int64_t dx, std::int64_t dy, Size picture) {
  return Region{r.x - dx, r.y - dy, r.width + 2 * dx, r.height + 2 * dy}.clipped({0, 0, picture.width, picture.height});
}

Region mirrored(const Region& r, const FlipStep& f, Size picture) {
  return {f.horizontal ? picture.width - r.x - r.width : r.x, f.vertical ? picture.height - r.y - r.height : r.y,
          r.width, r.height};
}

bool geometric(const Step& s) {
  return std::holds_alternative<FlipStep>(s) || std::holds_alternative<AffineStep>(s) ||
         std::holds_alternative<DisplacementStep>(s);
}

/// What a step has to read to make the region `to` of its result.
Region read_by(const Step& step, const Region& to, Size picture) {
  const Region whole{0, 0, picture.width, picture.height};
  return std::visit(Overloaded{
                        [&](const FlipStep& f) { return mirrored(to, f, picture); },
                        [&](const AffineStep&) { return whole; },
                        [&](const DisplacementStep&) { return whole; },
                        [&](const LookupStep&) { return to; },
                        [&](const ColourStep&) { return to; },
                        [&](const FilterStep& f) {
                          return grown(to, f.kernel.size().width / 2, f.kernel.size().height / 2, picture);
                        },
                        [&](const SeparableStep& f) {
                          return grown(to, static_cast<std::int64_t>(f.horizontal.size() / 2),
                                       static_cast<std::int64_t>(f.vertical.size() / 2), picture);
                        },
                        [&](const PixelsStep&) { return whole; },
                    },
                    step);
}

void warp(const AffineStep& a, const Region& to, const cv::Mat& from, cv::Mat& into, int interpolation) {
  const Affine m = a.forward.then(Affine::translation(static_cast<double>(-to.x), static_cast<double>(-to.y)));
  const cv::Matx23d matrix(m.m[0], m.m[1], m.m[2], m.m[3], m.m[4], m.m[5]);
  cv::warpAffine(from, into, matrix, into.size(), interpolation, border_of(a.border), cv::Scalar::all(0));
}

void look_up(const LookupStep& l, cv::Mat& image) {
  const auto& [r, g, b] = l.table;
  for (int y = 0; y < image.rows; ++y) {
    auto* p = image.ptr<std::uint8_t>(y);
    for (int x = 0; x < image.cols; ++x, p += 3) {
      p[0] = r[p[0]];
      p[1] = g[p[1]];
      p[2] = b[p[2]];
    }
  }
}

}  // namespace

cv::Mat Executor::buffer(std::size_t which, Size size, int type) {
  cv::Mat& m = buffers_[which];
  const auto w = static_cast<int>(size.width), h = static_cast<int>(size.height);
  const auto need =
      static_cast<std::size_t>(w) * static_cast<std::size_t>(h) * static_cast<std::size_t>(CV_ELEM_SIZE(type));
  if (m.total() < need) m.create(1, static_cast<int>(need), CV_8U);
  return {h, w, type, m.data};
}

void Executor::shrink(Now& now, const Region& to) {
  if (to == now.region) return;
  const cv::Rect part = rect_of(to, now.region);
  for (cv::Mat& m : now.mats) m = m(part);
  now.region = to;
}

// Carries one step out on what `now` holds; its region becomes `to`.
void Executor::apply(const Step& step, const Region& to, Now& now, Size picture) {
  // The first picture is the image; steps that are not geometric leave the others alone.
  const auto each = [&](const auto& change) {
    for (std::size_t i = 0; i < (geometric(step) ? now.mats.size() : 1); ++i) {
      cv::Mat into = buffer(2 * i + (in_second_[i] ? 0 : 1), to.size(), now.mats[i].type());
      change(now.mats[i], into, i == 0);
      now.mats[i] = into;
      in_second_[i] = !in_second_[i];
    }
    now.region = to;
  };
  const auto crop_planes = [&] {
    for (std::size_t i = 1; i < now.mats.size(); ++i) now.mats[i] = now.mats[i](rect_of(to, now.region));
  };
  std::visit(
      Overloaded{
          [&](const FlipStep& f) {
            shrink(now, mirrored(to, f, picture));
            each([&](const cv::Mat& from, cv::Mat& into, bool) {
              cv::flip(from, into, f.horizontal && f.vertical ? -1 : f.horizontal ? 1 : 0);
            });
          },
          [&](const AffineStep& a) {
            each([&](const cv::Mat& from, cv::Mat& into, bool image) {
              warp(a, to, from, into, image ? cv::INTER_LINEAR : cv::INTER_NEAREST);
            });
          },
          [&](const DisplacementStep& d) {
            const cv::Mat field = as_mat(d.field.view().crop(to));
            each([&](const cv::Mat& from, cv::Mat& into, bool image) {
              cv::remap(from, into, field, cv::noArray(), image ? cv::INTER_LINEAR : cv::INTER_NEAREST,
                        border_of(d.border), cv::Scalar::all(0));
            });
          },
          [&](const LookupStep& l) {
            shrink(now, to);
            look_up(l, now.mats[0]);
          },
          [&](const ColourStep& c) {
            shrink(now, to);
            const cv::Matx<float, 3, 4> matrix(c.matrix.data());
            each([&](const cv::Mat& from, cv::Mat& into, bool) { cv::transform(from, into, matrix); });
          },
          // A part of a larger cv::Mat: the filter reads the pixels around it, and mirrors at the larger one's edge.
          [&](const FilterStep& f) {
            crop_planes();
            const cv::Rect inner = rect_of(to, now.region);
            each([&](const cv::Mat& from, cv::Mat& into, bool) {
              cv::filter2D(from(inner), into, -1, as_mat(f.kernel.view()), {-1, -1}, 0, cv::BORDER_REFLECT_101);
            });
          },
          [&](const SeparableStep& f) {
            crop_planes();
            const cv::Rect inner = rect_of(to, now.region);
            each([&](const cv::Mat& from, cv::Mat& into, bool) {
              cv::sepFilter2D(from(inner), into, -1, f.horizontal, f.vertical, {-1, -1}, 0, cv::BORDER_REFLECT_101);
            });
          },
          [&](const PixelsStep& p) {
            const ImageView labels = now.mats.size() > 1 ? view_of(now.mats[1]) : ImageView{};
            const auto call = [&] { p.change(view_of(now.mats[0]), labels); };
            if (p.origin != nullptr) guarded(*p.origin, call);
            else call();
            shrink(now, to);
          },
      },
      step);
}

void Executor::run(const RecordedPlan& plan, const Region& wanted, const Source& source, const ImageView& image,
                   const std::vector<ImageView>& planes) {
  const std::vector<Step>& steps = plan.steps();
  if (steps.empty()) return source(wanted, image, planes);
  std::vector<Region> regions(steps.size() + 1);  // regions[i]: what step i reads
  regions.back() = wanted;
  for (std::size_t i = steps.size(); i-- > 0;) regions[i] = read_by(steps[i], regions[i + 1], plan.picture());

  buffers_.resize(2 * (1 + planes.size()));
  in_second_.assign(1 + planes.size(), false);
  Now now{regions[0], {}};
  std::vector<ImageView> plane_views;
  for (std::size_t i = 0; i <= planes.size(); ++i)
    now.mats.push_back(buffer(2 * i, regions[0].size(), i == 0 ? CV_8UC3 : CV_8UC1));
  for (std::size_t i = 1; i <= planes.size(); ++i) plane_views.push_back(view_of(now.mats[i]));
  source(regions[0], view_of(now.mats[0]), plane_views);
  for (std::size_t i = 0; i < steps.size(); ++i) apply(steps[i], regions[i + 1], now, plan.picture());
  copy(view_of(now.mats[0]), image);
  for (std::size_t i = 0; i < planes.size(); ++i) copy(view_of(now.mats[i + 1]), planes[i]);
}

}  // namespace nephron::host
