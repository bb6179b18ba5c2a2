#include <host/data/resolution.hpp>

#include <set>

#include <nephron/error.hpp>

#include <host/util/printable.hpp>

namespace nephron::host {

Reduction reduction_to(double wanted, double mpp, const std::string& of, const std::string& remedy) {
  const std::string to = short_number(wanted) + " um";
  if (!(mpp > 0))
    throw Error(of + " does not say how large its pixels are, so it cannot be brought to " + to + " a pixel", remedy);
  const double ratio = wanted / mpp;
  constexpr double slack = 1e-6;
  if (ratio < 1 - slack)
    throw Error(of + " has pixels of " + short_number(mpp) + " um, larger than the " + to + " that are asked for",
                "slides are reduced and never enlarged: ask for larger pixels, or leave the slide out");
  if (ratio > Reduction::largest)
    throw Error(of + " has pixels of " + short_number(mpp) + " um; " + to + " would be a reduction by more than " +
                    std::to_string(Reduction::largest),
                "is its size of a pixel right? " + remedy);
  return Reduction::of(ratio);
}

Reduction own_reduction(const DataConfig& data, const SlideInfo& slide, const std::string& remedy) {
  if (data.mpp <= 0) return data.factor;
  return reduction_to(data.mpp, slide.mpp, "slide \"" + printable_name(slide.id) + "\"", remedy);
}

std::vector<Reduction> wanted_reductions(const DataConfig& data, Reduction own, Size slide) {
  std::set<Reduction> all{own};
  for (const int f : data.factors) all.insert(f);
  std::vector<Reduction> out;
  for (const Reduction& r : all)
    if (r == own || slide.empty() || !r.size_of(slide).empty()) out.push_back(r);
  return out;
}

std::string level_text(const DataConfig& data) {
  return data.mpp > 0 ? short_number(data.mpp) + " um a pixel" : "factor " + std::to_string(data.factor);
}

}  // namespace nephron::host
