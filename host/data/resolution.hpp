#pragma once

#include <string>
#include <vector>

#include <nephron/slide.hpp>

#include <host/config/experiment.hpp>
#include <host/store/reduction.hpp>

namespace nephron::host {

/// The reduction of a slide whose pixels are `mpp` microns wide to pixels of `wanted`. `of`: what errors call the
/// slide. Throws Error when its pixels are not known (`remedy`: what to do then), and when they are too large.
Reduction reduction_to(double wanted, double mpp, const std::string& of, const std::string& remedy);

/// The reduction that the experiment works at on a slide: data.factor, or what brings its pixels to data.mpp.
Reduction own_reduction(const DataConfig& data, const SlideInfo& slide, const std::string& remedy);

/// Reductions of a slide that the experiment prepares in its store, ascending: `own` and data.factors. One that leaves
/// nothing of the slide is left out, unless it is its own.
std::vector<Reduction> wanted_reductions(const DataConfig& data, Reduction own, Size slide);

/// "factor 2", "0.5 um a pixel": the level that the experiment works at.
std::string level_text(const DataConfig& data);

}  // namespace nephron::host
